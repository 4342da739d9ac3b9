"""Dependencies go one way, the core is pure, and files stay small: read from the sources, nothing is run."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = {
    "heartline": ROOT / "client/heartline",
    "heartline_service": ROOT / "service/heartline_service",
    "heartline_lab": ROOT / "lab/heartline_lab",
    "bench": ROOT / "bench",
}
GENERATED = PACKAGES["heartline"] / "v1"
FORBIDDEN = {
    "heartline": {"heartline_service", "heartline_lab", "bench"},
    "heartline_service": {"heartline_lab", "bench"},
    "heartline_lab": {"bench"},
    "bench": set[str](),
}
PURE = [
    "client/heartline/backoff.py",
    "client/heartline/choice.py",
    "client/heartline/durations.py",
    "client/heartline/events.py",
    "client/heartline/inbox.py",
    "client/heartline/session.py",
    "client/heartline/timing.py",
    "service/heartline_service/reading/log.py",
    "service/heartline_service/presence/presence.py",
    "service/heartline_service/presence/standing.py",
    "service/heartline_service/retention.py",
    "service/heartline_service/spreading.py",
    "service/heartline_service/stores/base.py",
    "service/heartline_service/stores/redis/feed.py",
    "service/heartline_service/stores/redis/keys.py",
    "service/heartline_service/stores/redis/presence_scripts.py",
    "service/heartline_service/stores/redis/scripts.py",
    "service/heartline_service/stores/shared.py",
    "service/heartline_service/stores/sqlite/group.py",
    "service/heartline_service/stores/sqlite/writes.py",
    "lab/heartline_lab/anatomy/account.py",
    "lab/heartline_lab/anatomy/dissect.py",
    "lab/heartline_lab/anatomy/findings.py",
    "lab/heartline_lab/anatomy/frame_words.py",
    "lab/heartline_lab/anatomy/http2.py",
    "lab/heartline_lab/anatomy/pcap.py",
    "lab/heartline_lab/anatomy/segment_words.py",
    "lab/heartline_lab/claims/judging/faults.py",
    "lab/heartline_lab/claims/judging/http.py",
    "lab/heartline_lab/claims/judging/presence.py",
    "lab/heartline_lab/claims/judging/process.py",
    "lab/heartline_lab/claims/judging/tcp.py",
    "lab/heartline_lab/claims/parts.py",
    "lab/heartline_lab/claims/render.py",
    "lab/heartline_lab/contrast/advice.py",
    "lab/heartline_lab/contrast/breakeven.py",
    "lab/heartline_lab/contrast/costs.py",
    "lab/heartline_lab/contrast/figures.py",
    "lab/heartline_lab/contrast/journal.py",
    "lab/heartline_lab/contrast/notes.py",
    "lab/heartline_lab/contrast/plan.py",
    "lab/heartline_lab/contrast/records.py",
    "lab/heartline_lab/contrast/results.py",
    "lab/heartline_lab/contrast/sheet.py",
    "lab/heartline_lab/contrast/way.py",
    "lab/heartline_lab/contrast/words.py",
    "lab/heartline_lab/detect/cells.py",
    "lab/heartline_lab/detect/faults.py",
    "lab/heartline_lab/detect/kernel.py",
    "lab/heartline_lab/detect/observed.py",
    "lab/heartline_lab/detect/patience.py",
    "lab/heartline_lab/detect/table.py",
    "lab/heartline_lab/drawing/ladder/__init__.py",
    "lab/heartline_lab/drawing/ladder/steps.py",
    "lab/heartline_lab/drawing/ladder/svg.py",
    "lab/heartline_lab/drawing/ladder/text.py",
    "lab/heartline_lab/drawing/units.py",
    "lab/heartline_lab/middlebox/faults.py",
    "lab/heartline_lab/middlebox/link.py",
    "lab/heartline_lab/middlebox/words.py",
    "lab/heartline_lab/network/commands.py",
    "bench/http2.py",
    "bench/peers/count.py",
    "bench/peers/protocols.py",
]
IMPURE = {"asyncio", "time", "random", "socket", "grpc", "grpc_status", "google", "heartline.v1"}
CLIENT_NEEDS = {"grpc", "grpc_status", "google", "heartline"}
LONGEST_FILE = 260


def sources(folder: Path) -> list[Path]:
    """The hand-written Python files below a folder."""
    return sorted(file for file in folder.rglob("*.py") if GENERATED not in file.parents)


def imports(file: Path) -> Iterator[str]:
    """The dotted names that a file imports, anywhere in it; `from a import b` counts as a and a.b."""
    for node in ast.walk(ast.parse(file.read_bytes(), str(file))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = dotted(file).split(".")[: -node.level] if node.level else []
            base = ".".join((*above, *filter(None, [node.module])))
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def dotted(file: Path) -> str:
    """The name under which a file of a package is imported."""
    root = next(folder.parent for folder in PACKAGES.values() if folder in file.parents)
    return ".".join(file.relative_to(root).with_suffix("").parts)


def reaches(name: str, forbidden: set[str]) -> bool:
    """Whether a dotted name is one of these modules, or inside one."""
    return any(name == module or name.startswith(f"{module}.") for module in forbidden)


def leads_to(name: str, modules: set[str]) -> bool:
    """Whether a dotted name is a package with one of these modules in it."""
    return any(module.startswith(f"{name}.") for module in modules)


def offenders(files: list[Path], forbidden: set[str]) -> list[str]:
    """Each import of a forbidden module, as "file: module"."""
    return [f"{file.relative_to(ROOT)}: {name}" for file in files for name in imports(file) if reaches(name, forbidden)]


@pytest.mark.parametrize("package", PACKAGES)
def test_dependencies_go_one_way(package: str) -> None:
    assert offenders(sources(PACKAGES[package]), FORBIDDEN[package]) == []


@pytest.mark.parametrize("file", PURE)
def test_the_core_knows_no_clock_no_chance_no_network_and_no_generated_code(file: str) -> None:
    assert offenders([ROOT / file], IMPURE) == []


def test_the_core_leans_on_nothing_but_the_core() -> None:
    core = {dotted(ROOT / file) for file in PURE}
    ours = [(file, name) for file in PURE for name in imports(ROOT / file) if reaches(name, set(PACKAGES))]
    assert [(file, name) for file, name in ours if not reaches(name, core) and not leads_to(name, core)] == []


def test_the_client_needs_only_grpcio_grpcio_status_and_protobuf() -> None:
    files = sources(PACKAGES["heartline"])
    needed = {name.split(".")[0] for file in files for name in imports(file)}
    assert needed - set(sys.stdlib_module_names) <= CLIENT_NEEDS


def test_no_file_mixes_so_many_jobs_that_it_grows_past_the_limit() -> None:
    folders = [*PACKAGES.values(), *map(ROOT.joinpath, ("tests", "scripts", "examples"))]
    lengths = {file: len(file.read_text("utf-8").splitlines()) for folder in folders for file in sources(folder)}
    assert {str(file.relative_to(ROOT)): n for file, n in lengths.items() if n > LONGEST_FILE} == {}
