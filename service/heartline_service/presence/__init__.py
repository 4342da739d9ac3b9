"""Presence: who is there, since when, and why not any more."""
