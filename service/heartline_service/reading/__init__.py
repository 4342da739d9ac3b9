"""Reading channels: where a reader stands, what is at hand for it, and who waits for more."""
