"""How much Heartline costs beyond gRPC itself, and beside its peers: all are measured in the same run, in turns."""
