"""The store in one SQLite file: every write is synced before it is answered."""
