"""The Heartline service: channels, presence and sessions behind gRPC. Run it with `heartline serve`."""
