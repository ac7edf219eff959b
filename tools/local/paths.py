"""Where things lie in a working copy. Everything that is made locally is below `.local` and `.aws-sam`."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"
ENVIRONMENTS = LOCAL / "envs"
BUILD = ROOT / ".aws-sam" / "build"

EMULATOR_PYTHON = ENVIRONMENTS / "emulator" / "bin" / "python"
SAM = ENVIRONMENTS / "sam" / "bin" / "sam"
# A venv that has both python3.13 and pip, which sam's Python builder looks for on PATH.
PIP_BIN = ENVIRONMENTS / "uv" / "bin"


def base_environment() -> dict[str, str]:
    """Give the variables that a child process may inherit.

    A short list on purpose: the emulator hands its whole environment on to every function, so a stray
    AWS_PROFILE or PYTHONPATH of the developer's shell would become a difference between here and Lambda.
    """
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TZ")
    return {name: os.environ[name] for name in kept if name in os.environ}
