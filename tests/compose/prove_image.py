"""What the Dockerfile promises: a small image that can build nothing."""

import json

import pytest
from compose.project import ROOT, compose, inspect, run

MOST = 150e6
"""Bytes of the image beyond its base."""
BASE = (ROOT / "Dockerfile").read_text().rpartition("\nFROM ")[2].split()[0]
IMPORTABLE = "import importlib.util as u, sys; print([name for name in sys.argv[1:] if u.find_spec(name)])"
FOUND = "import shutil, sys; print([name for name in sys.argv[1:] if shutil.which(name)])"


@pytest.fixture(scope="module")
def image() -> str:
    """The image that compose has built."""
    compose("up", "--no-start")
    return str(inspect("heartline")["Image"])


def inside(image: str, *command: str) -> str:
    """What a command prints in a container of the image."""
    return run("docker", "run", "--rm", image, *command).strip()


def size(image: str) -> int:
    """Bytes of an image, with all its layers."""
    return int(json.loads(run("docker", "image", "inspect", image))[0]["Size"])


def test_it_is_less_than_150_mb_larger_than_its_base(image: str) -> None:
    more = size(image) - size(BASE)
    print(f"{more / 1e6:.1f} MB over {BASE}")
    assert 0 < more < MOST


def test_it_brings_no_build_tools(image: str) -> None:
    assert inside(image, "python", "-c", IMPORTABLE, "pip", "ensurepip", "setuptools", "wheel", "hatchling") == "[]"
    assert inside(image, "python", "-c", FOUND, "cc", "gcc", "g++", "clang", "ld", "make", "cmake", "git") == "[]"


def test_its_base_has_lost_its_own(image: str) -> None:
    base = inside(image, "python", "-c", "import os, sys; print(os.path.realpath(sys.executable))")
    assert inside(image, base, "-c", IMPORTABLE, "pip", "ensurepip") == "[]"
