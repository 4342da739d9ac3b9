"""How much Heartline costs beyond gRPC itself: every figure is a ratio to a bare server measured in the same run."""
