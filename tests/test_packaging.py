"""What is built is what people install: three packages, their data, and nothing that takes another's name."""

from __future__ import annotations

import email
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from build import ProjectBuilder
from pyproject_hooks import quiet_subprocess_runner

from tribe_ws import __version__

ROOT = Path(__file__).parents[1]
SOURCES = {
    "tribe_ws": ROOT / "tribe_ws",
    "tribe_ws_cli": ROOT / "cli" / "tribe_ws_cli",
    "tribe_ws_tui": ROOT / "tui" / "tribe_ws_tui",
}
DIST_INFO = f"tribe_ws-{__version__}.dist-info"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    with zipfile.ZipFile(build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))) as archive:
        yield archive


@pytest.fixture(scope="session")
def sdist(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(build("sdist", ROOT, folder)) as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extractall(folder, filter="data")
        else:
            archive.extractall(folder)  # Python 3.11.2 knows no filters
    return folder / f"tribe_ws-{__version__}"


def test_wheel_claims_only_our_own_names(wheel):
    assert {name.split("/")[0] for name in wheel.namelist()} == {*SOURCES, DIST_INFO}


@pytest.mark.parametrize("package", SOURCES)
def test_wheel_holds_every_file_of_a_package(wheel, package):
    packed = {name for name in wheel.namelist() if name.startswith(f"{package}/")}
    assert packed == {f"{package}/{path}" for path in files_of(SOURCES[package])}


@pytest.mark.parametrize("package", SOURCES)
def test_wheel_says_that_its_packages_are_typed(wheel, package):
    assert f"{package}/py.typed" in wheel.namelist()


@pytest.mark.parametrize(
    "pattern",
    ["storage/migrations/versions/*.py", "**/worlds/*.yaml", "scenario/builtin/smoke.yaml"],
)
def test_wheel_holds_what_an_installed_server_needs_at_run_time(wheel, pattern):
    assert any(Path(name).match(f"tribe_ws/{pattern}") for name in wheel.namelist())


def test_metadata_tells_what_the_index_page_shows(wheel):
    metadata = email.message_from_string(wheel.read(f"{DIST_INFO}/METADATA").decode())
    assert metadata["Name"] == "tribe-ws"
    assert metadata["Version"] == __version__
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_all("Provides-Extra") == ["postgres", "web"]
    assert metadata.get_payload() == (ROOT / "README.md").read_text("utf-8")
    assert f"{DIST_INFO}/licenses/LICENSE" in wheel.namelist()


def test_wheel_installs_one_command(wheel):
    entry_points = wheel.read(f"{DIST_INFO}/entry_points.txt").decode()
    assert entry_points.split() == ["[console_scripts]", "tribe-ws", "=", "tribe_ws_cli.main:main"]


def test_source_distribution_builds_the_same_wheel(sdist, wheel, tmp_path):
    with zipfile.ZipFile(build("wheel", sdist, tmp_path)) as rebuilt:
        assert sorted(rebuilt.namelist()) == sorted(wheel.namelist())


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "LICENSE", "noxfile.py", "tests", "fixtures"])
def test_source_distribution_can_be_tested(sdist, name):
    assert (sdist / name).exists()


def test_editable_install_finds_the_packages_in_the_checkout(tmp_path):
    with zipfile.ZipFile(build("editable", ROOT, tmp_path)) as archive:
        archive.extractall(tmp_path)
    script = (
        f"import site; site.addsitedir({str(tmp_path)!r})\n"
        "import tribe_ws, tribe_ws_cli, tribe_ws_tui\n"
        "print(tribe_ws.__path__[0], tribe_ws_cli.__path__[0], tribe_ws_tui.__path__[0], sep='\\n')"
    )
    # -I -S: neither the working directory nor another installation may answer for the one under test.
    found = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert [Path(line) for line in found.stdout.splitlines()] == list(SOURCES.values())


def build(kind, source, folder):
    """Build with the backend of the running environment, so that no test needs the network."""
    return ProjectBuilder(source, runner=quiet_subprocess_runner).build(kind, folder)


def files_of(package):
    return {
        path.relative_to(package).as_posix()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
