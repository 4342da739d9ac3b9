"""What of this machine matters to speed: never its name, never a path."""

import os
import platform
from importlib.metadata import version


def machine() -> dict[str, str]:
    """Each thing by its name."""
    return {
        "cores": str(os.cpu_count()),
        "architecture": platform.machine(),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "grpcio": version("grpcio"),
        "protobuf": version("protobuf"),
        "heartline": version("heartline"),
    }
