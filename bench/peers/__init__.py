"""The servers that Heartline is compared with, and one load for all of them: raw sockets that count what comes."""
