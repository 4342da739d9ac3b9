"""The two programs of a measurement, a server and its client, each a process of its own with all detectors in it."""
