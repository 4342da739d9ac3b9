"""The Heartline service: channels, presence and sessions behind gRPC. Run it with `heartline serve`."""

from importlib import metadata

try:
    VERSION = metadata.version("heartline")
except metadata.PackageNotFoundError:
    VERSION = "0+source"
