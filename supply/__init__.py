"""What the gateway consists of, and whether that is what stands in the lock files."""
