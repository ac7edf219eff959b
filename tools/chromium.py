"""Find the Chromium that the browser tests drive, or get it where that takes no question.

Most tests drive Chromium's headless shell where there is one: the same engine without the window around it, at
half of the cost.  What a window's settings decide, third-party cookies among them, takes the whole browser.

Usage: python -m tools.chromium (as `make test` does: prints the paths, or says how to get one)
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
SHELL_NAMES = ("chromium-headless-shell", "chrome-headless-shell")
DEBIAN_PACKAGES = ("chromium", "chromium-headless-shell")
PLACES = (
    "/usr/bin/chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
HOW_TO_GET_ONE = (
    "no Chromium found: install one (Debian, Ubuntu: `apt-get install chromium`), or name it: CHROMIUM=/path/to/it"
)
# Nothing but the pages under test: no account, no updates, no calls home.
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
)


def find() -> str | None:
    """Give the path of a whole Chromium: the one that CHROMIUM names, else one of the usual places."""
    named = os.environ.get("CHROMIUM")
    return shutil.which(named) if named else _first(*NAMES, *PLACES)


def find_shell() -> str | None:
    """Give the path of a headless shell; of a whole Chromium where there is none, or CHROMIUM names one."""
    return (None if os.environ.get("CHROMIUM") else _first(*SHELL_NAMES)) or find()


def arguments() -> list[str]:
    """Give the command-line arguments for a test run; root needs `--no-sandbox`."""
    return [*QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]


def main() -> str | int:
    """Print the paths, after installing Debian's packages where we are root there; else say how to get one."""
    trouble = ""
    if find() is None and os.geteuid() == 0 and Path("/etc/debian_version").exists() and shutil.which("apt-get"):
        print("chromium: none found, installing Debian's packages (about a minute) ...", flush=True)
        # Not every release of Debian has the shell in a package of its own.
        trouble = _apt("update") or (_install(*DEBIAN_PACKAGES) and _install(DEBIAN_PACKAGES[0]))
    if find() is None:
        return f"{HOW_TO_GET_ONE}\n{trouble}".strip()
    print(f"chromium: {find()}; most tests drive {find_shell()}")
    return 0


def _first(*candidates: str) -> str | None:
    return next((path for path in map(shutil.which, candidates) if path), None)


def _install(*packages: str) -> str:
    return _apt("install", "-y", "--no-install-recommends", *packages)


def _apt(*arguments: str) -> str:
    """Run apt-get; give the end of what it said if it failed, else nothing."""
    command = ["apt-get", "-q", *arguments]
    print(f"chromium: {' '.join(command)}", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=quiet, capture_output=True, text=True, check=False)  # noqa: S603
    return f"{done.stdout[-2000:]}{done.stderr[-2000:]}" if done.returncode else ""


if __name__ == "__main__":
    sys.exit(main())
