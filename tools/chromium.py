"""Find the Chromium that the browser tests drive, or get it where that takes no question.

Usage: python -m tools.chromium (as `make test` does: prints its path, or says how to get one)
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
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
    """Give the path of a Chromium: the one that CHROMIUM names, else one of the usual places."""
    named = os.environ.get("CHROMIUM")
    if named:
        return shutil.which(named)
    found = (shutil.which(candidate) for candidate in (*NAMES, *PLACES))
    return next((path for path in found if path), None)


def arguments() -> list[str]:
    """Give the command-line arguments for a test run; root needs `--no-sandbox`."""
    return [*QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]


def main() -> str | int:
    """Print the path, after installing Debian's package where we are root there; else say how to get one."""
    path = find()
    if path is None and os.geteuid() == 0 and Path("/etc/debian_version").exists() and shutil.which("apt-get"):
        print("chromium: none found, installing Debian's package (about a minute) ...", flush=True)
        for command in (
            ["apt-get", "-q", "update"],
            ["apt-get", "-qy", "install", "--no-install-recommends", "chromium"],
        ):
            print(f"chromium: {' '.join(command)}", flush=True)
            quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            done = subprocess.run(command, env=quiet, capture_output=True, text=True, check=False)  # noqa: S603
            if done.returncode != 0:
                return f"{HOW_TO_GET_ONE}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        path = find()
    if path is None:
        return HOW_TO_GET_ONE
    print(f"chromium: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
