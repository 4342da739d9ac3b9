"""Live sessions: one client's long connection, its frames, and its writer."""
