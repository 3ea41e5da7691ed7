"""The checks of this project: plain ``nox`` runs those every change must pass, the others go by name.

Each session builds an environment of its own, so what passes here passes on a machine that has only Python.
Sessions that run pytest leave a JUnit report in ``.nox/reports``; ``.ci/run`` adds those up.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_missing_interpreters = True

ROOT = Path(__file__).parent
REPORTS = ROOT / ".nox" / "reports"
SOURCES = ("tribe_ws", "cli", "tui", "tests", "benchmarks", "docs", ".ci", "noxfile.py")
COVERAGE_FLOOR = 95
# What has a session of its own is left out of the others.
OUTSIDE = ("autobahn", "interop", "asyncapi", "schemathesis", "postgres", "terminal")
ALONE = " and ".join(f"not {mark}" for mark in OUTSIDE)
# Many tests wait for a server's clock: twice as many as there are cores keep the cores busy.
WORKERS = str(min(16, 2 * (os.cpu_count() or 1)))
WITHIN = ("--ignore=tests/smoke", "-m", f"{ALONE} and not slow")

PROJECT = nox.project.load_toml(ROOT / "pyproject.toml")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, formatting, types and the direction of imports."""
    session.install("-e", ".[web]", *group("lint"), *group("test"))
    session.run("ruff", "check", *SOURCES)
    session.run("ruff", "format", "--check", *SOURCES)
    session.run("mypy")
    session.run("lint-imports")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests in parallel; TRIBE_WS_TEST_COVERAGE=1 also holds the library to its coverage."""
    session.install("-e", ".", *group("test"))
    if not os.environ.get("TRIBE_WS_TEST_COVERAGE"):  # it doubles the time
        run_pytest(session, "-n", WORKERS, *WITHIN, *session.posargs)
        return
    session.run("coverage", "erase")
    try:
        run_pytest(session, "-n", WORKERS, *WITHIN, "--cov", "--cov-report=", *session.posargs)
    finally:
        floor = [] if session.posargs else [f"--fail-under={COVERAGE_FLOOR}"]
        session.run("coverage", "report", "--include=tribe_ws/*", *floor)


@nox.session
def smoke(session: nox.Session) -> None:
    """Install the built wheel into an environment of its own and run the demo and the scenarios with it."""
    session.install("build", "hatchling", *group("smoke"))
    workshop = Path(session.create_tmp()).resolve()
    dist, home = workshop / "dist", workshop / "installed"
    shutil.rmtree(dist, ignore_errors=True)
    session.run("python", "-m", "build", "--wheel", "--no-isolation", "--outdir", str(dist), silent=True)
    session.run("python", "-m", "venv", "--clear", str(home))
    programs = home / ("Scripts" if sys.platform == "win32" else "bin")
    (wheel,) = dist.glob("*.whl")
    session.run(str(programs / "python"), "-m", "pip", "install", "--quiet", str(wheel), external=True)
    session.run(str(programs / "tribe-ws"), "demo", external=True)
    scenarios = sorted(path.stem for path in (ROOT / "tribe_ws" / "scenario" / "builtin").glob("*.yaml"))
    session.run(str(programs / "tribe-ws"), "scenario", "run", *scenarios, "--serve", external=True)
    session.env["TRIBE_WS_TEST_PROGRAM"] = str(programs / "tribe-ws")
    run_pytest(session, "--confcutdir=tests/smoke", "tests/smoke")


@nox.session(default=False)
def slow(session: nox.Session) -> None:
    """Run the tests that take long: kills, failing disks, floods, a check of each broken server."""
    session.install("-e", ".", *group("test"))
    run_pytest(session, "-n", WORKERS, "-m", f"{ALONE} and slow", "tests", *session.posargs)


@nox.session(default=False)
def autobahn(session: nox.Session) -> None:
    """Run the Autobahn cases against the server's own uvicorn settings, on both ways out."""
    session.install("-e", ".", *group("test"), *group("autobahn"))
    run_pytest(session, "-m", "autobahn", "tests/autobahn", *session.posargs)


@nox.session(default=False)
def interop(session: nox.Session) -> None:
    """Let clients of other hands talk to the server: node's ws, a browser, the websockets command line."""
    session.install("-e", ".", *group("test"), *group("interop"))
    session.env["TRIBE_WS_TEST_INTEROP"] = "required"
    run_pytest(session, "-m", "interop", "tests/interop", *session.posargs)


@nox.session(default=False)
def asyncapi(session: nox.Session) -> None:
    """Let the AsyncAPI initiative's own parser judge the document of the socket."""
    session.install("-e", ".", *group("test"), *group("asyncapi"))
    session.env["TRIBE_WS_TEST_ASYNCAPI"] = "required"
    run_pytest(session, "-m", "asyncapi", "tests/asyncapi", *session.posargs)


@nox.session(default=False)
def schemathesis(session: nox.Session) -> None:
    """Send what the OpenAPI document allows, and what it forbids, to a served server."""
    session.install("-e", ".", *group("test"), *group("schemathesis"))
    run_pytest(session, "-m", "schemathesis", "tests/openapi", *session.posargs)


@nox.session(default=False)
def postgres(session: nox.Session) -> None:
    """Run the storage tests on the PostgreSQL server that TRIBE_WS_TEST_POSTGRES names."""
    if not os.environ.get("TRIBE_WS_TEST_POSTGRES"):
        session.error("set TRIBE_WS_TEST_POSTGRES to the URL of a PostgreSQL database the tests may fill")
    session.install("-e", ".[postgres]", *group("test"))
    run_pytest(session, "-m", "postgres", "tests", *session.posargs)


@nox.session(default=False)
def terminal(session: nox.Session) -> None:
    """Work the inspector as its user does: in a terminal of tmux, and in a headless Chromium."""
    session.install("-e", ".[web]", *group("test"), *group("interop"))
    session.env["TRIBE_WS_TEST_TERMINAL"] = "required"
    run_pytest(session, "-m", "terminal", "tests/tui_terminal", *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure fan-out, sends, memory and start-up beside a naive server, as ratios."""
    session.install("-e", ".")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session(default=False, python=["3.12", "3.13"])
def pythons(session: nox.Session) -> None:
    """Run the tests on the further Python versions that are supported."""
    session.install("-e", ".", *group("test"))
    run_pytest(session, "-n", WORKERS, *WITHIN, *session.posargs)


@nox.session(default=False, venv_backend="uv")
def lowest(session: nox.Session) -> None:
    """Run the tests on the lowest version of each dependency that pyproject.toml admits."""
    session.install("--resolution=lowest-direct", "-e", ".[postgres]", *group("test"))
    run_pytest(session, "-n", WORKERS, *WITHIN, *session.posargs)


@nox.session(default=False)
def pictures(session: nox.Session) -> None:
    """Draw the pictures of the inspector anew, for the README and for reviewers."""
    session.install("-e", ".", *group("test"))
    session.run("python", "-m", "tests.tui.pictures")


@nox.session(default=False)
def readme(session: nox.Session) -> None:
    """Write the tables of README.md and docs/ anew from the code they describe."""
    session.install("-e", ".", *group("test"))
    session.run("cog", "-r", "-I", "docs", "README.md", "docs/scenarios.md")


def group(name: str) -> tuple[str, ...]:
    """Tell the requirements of a dependency group."""
    return tuple(nox.project.dependency_groups(PROJECT, name))


def run_pytest(session: nox.Session, *arguments: str) -> None:
    """Run pytest and leave its JUnit report where ``.ci/run`` looks for it."""
    session.run("pytest", f"--junit-xml={REPORTS / session.name}.xml", *arguments)
