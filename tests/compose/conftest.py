"""The project's images, built once for all proofs, and nothing left of it afterwards."""

import re
import subprocess
from collections.abc import Iterator

import pytest
from compose.project import ROOT, compose, run

ALL = ("--profile", "lab", "--profile", "cluster")


def _is_here(image: str) -> bool:
    """Whether the engine has the image, or can get it."""
    ways = (["docker", "image", "inspect", image], ["docker", "pull", "--quiet", image])
    return any(subprocess.run(way, capture_output=True, timeout=300, check=False).returncode == 0 for way in ways)


@pytest.fixture(scope="session", autouse=True)
def images() -> Iterator[None]:
    """All images of the project, with no data of an earlier run.

    Where HAProxy's cannot be pulled another takes its place and name: Debian's package, an older version (2.6) that
    understands the same configuration, on another system, with the same user, command line and stop signal.
    """
    compose(*ALL, "down", "--volumes")
    (haproxy,) = re.findall(r"image: (haproxy:\S+)", (ROOT / "docker-compose.yml").read_text())
    stands_in = not _is_here(haproxy)
    if stands_in:
        run("docker", "build", "--quiet", "--tag", haproxy, "tests/compose/haproxy", timeout=300)
    compose(*ALL, "build", timeout=600)
    yield
    compose(*ALL, "down", "--volumes", "--rmi", "local")
    if stands_in:
        run("docker", "rmi", haproxy)
