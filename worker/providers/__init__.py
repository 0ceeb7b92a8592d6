"""Provider adapters: each turns one candidate into one call, and what comes back into facts."""
