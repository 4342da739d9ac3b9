"""Which Heartline this is: what `heartline --version` and the server tell."""

from importlib import metadata

try:
    VERSION = metadata.version("heartline")
except metadata.PackageNotFoundError:
    VERSION = "0+source"
