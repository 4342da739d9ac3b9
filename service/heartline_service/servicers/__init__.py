"""The contract's services: each method translates, and asks the hub."""
