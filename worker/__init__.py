"""The worker: takes decided requests off the queue, calls providers, books what it cost."""
