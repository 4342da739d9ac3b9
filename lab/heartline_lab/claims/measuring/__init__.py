"""The experiments: each does one thing on real sockets, processes and networks, and returns what it measured as facts.

Rules:
- Loopback, or networks of their own, alone. What an experiment starts or makes is gone when it returns or is cancelled.
- An experiment judges nothing. What it cannot measure is an error, never a guess.
"""
