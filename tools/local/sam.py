"""`sam build` and `sam deploy` of the real template, as they run against AWS.

The invariant: what is deployed holds valid bytecode, so no build without `tools.bytecode` after it; and a build
is left out only when the one that lies there was made, compiled included, from the very same sources.
"""

import contextlib
import fcntl
import hashlib
import os
import platform
import sys
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import IO

from tools.local import paths
from tools.local.console import run_logged, say

STACK_NAME = "vestibule"

# Everything that a build is made from.
SOURCES = ("functions", "layers", "template.yaml", "samconfig.toml", "uv.lock", "tools/bytecode.py")
# Lies inside the build, so that any other build (`make build`, sam itself) takes it away.
STAMP = "made-from"


def machine_architecture() -> str:
    """Give Lambda's name for this machine's processor: `x86_64` or `arm64`."""
    machine = platform.machine().lower()
    return "arm64" if machine in {"arm64", "aarch64"} else "x86_64"


@contextlib.contextmanager
def built(*, home: Path, settings: Mapping[str, str], architecture: str) -> Generator[str]:
    """Build, and keep other `make`s from building anew until what was built is deployed; see `build`.

    Others may deploy the same build meanwhile.
    """
    paths.LOCAL.mkdir(exist_ok=True)
    with (paths.LOCAL / "build.lock").open("w") as lock:
        _take(lock, fcntl.LOCK_SH)
        fingerprint = _fingerprint(architecture)
        if _is_made_from(fingerprint):
            say("sam build: nothing has changed since the last one")
        while not _is_made_from(fingerprint):
            _take(lock, fcntl.LOCK_EX)
            fingerprint = build(home=home, settings=settings, architecture=architecture)
            # Not in one step: somebody else may come in between, with sources that have changed meanwhile.
            _take(lock, fcntl.LOCK_SH)
        yield fingerprint


def _take(lock: IO[str], kind: int) -> None:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        say("build: waiting for another build of this working copy to end")
        fcntl.flock(lock, kind)


def build(*, home: Path, settings: Mapping[str, str], architecture: str) -> str:
    """Build every function and layer into `.aws-sam/build`, and compile what was built, unless it lies there.

    Parameters
    ----------
    home
        Folder for the log.
    settings
        Environment variables for sam (`tools.local.aws.write_settings`).
    architecture
        `arm64` or `x86_64`: what the dependencies' wheels are chosen for.

    Returns
    -------
    str
        A digest of what the build was made from.
    """
    fingerprint = _fingerprint(architecture)
    if _is_made_from(fingerprint):
        return fingerprint
    environment = _environment(settings)
    run_logged(
        "sam build",
        [paths.SAM, "build", "--parameter-overrides", f"Architecture={architecture}"],
        log=home / "sam.log",
        env=environment,
        cwd=paths.ROOT,
    )
    run_logged(
        "bytecode",
        [sys.executable, "-m", "tools.bytecode"],
        log=home / "sam.log",
        env=environment,
        cwd=paths.ROOT,
    )
    # Made from what it was before the build: a source that changed meanwhile is built the next time.
    (paths.BUILD / STAMP).write_text(fingerprint)
    return fingerprint


def deploy(*, home: Path, settings: Mapping[str, str], parameters: Mapping[str, str]) -> None:
    """Deploy what was built as samconfig.toml's default (local) environment says.

    Parameters
    ----------
    home
        Folder for the log.
    settings
        Environment variables that lead sam to the emulator.
    parameters
        The template's parameters.
    """
    overrides = [f"{name}={value}" for name, value in parameters.items()]
    run_logged(
        "sam deploy",
        [paths.SAM, "deploy", "--parameter-overrides", *overrides],
        log=home / "sam.log",
        env=_environment(settings),
        cwd=paths.ROOT,
    )


def _is_made_from(fingerprint: str) -> bool:
    stamp = paths.BUILD / STAMP
    return stamp.exists() and stamp.read_text() == fingerprint


def _fingerprint(architecture: str) -> str:
    """Return a digest of every source's path and content."""
    digest = hashlib.sha256(architecture.encode())
    for source in SOURCES:
        below = sorted((paths.ROOT / source).rglob("*")) or [paths.ROOT / source]
        for path in below:
            if path.is_file() and path.suffix != ".pyc":
                digest.update(f"\0{path.relative_to(paths.ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    inherited = paths.base_environment()
    # sam looks for python3.13 with pip on PATH, which the project's own environment does not have.
    path = os.pathsep.join([str(paths.PIP_BIN), inherited.get("PATH", os.defpath)])
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    return inherited | pip | {"PATH": path} | dict(settings)
