"""The changes, oldest first. Each one names the one before it."""
