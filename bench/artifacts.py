"""What is deployed: the functions and layers as `sam build` and `tools.bytecode` leave them.

The invariant: what is measured is a copy taken while no other build could touch the original, with the layers
merged as Lambda merges them below /opt.
"""

from __future__ import annotations

import io
import shutil
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.local import aws, paths, sam

if TYPE_CHECKING:
    from pathlib import Path

HOME = paths.LOCAL / "bench"
TASKS = HOME / "task"
"""A folder for each function: what Lambda mounts at /var/task."""
PACKAGES = HOME / "opt" / "python"
"""All layers in one: what Lambda mounts at /opt/python."""

_FUNCTION = "Function"
_LAYER = "Layer"
# Nothing is deployed: sam only wants to know some endpoint.
_NO_ENDPOINT = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True)
class Size:
    """How large one artifact is, in bytes.

    Attributes
    ----------
    zipped
        As it is uploaded.
    unzipped
        As it counts against Lambda's 250 MB, layers included.
    """

    artifact: str
    zipped: int
    unzipped: int


def build() -> list[Size]:
    """Build the working copy, copy what was built to `TASKS` and `PACKAGES`, and give every artifact's size."""
    HOME.mkdir(parents=True, exist_ok=True)
    settings = aws.write_settings(HOME, _NO_ENDPOINT)
    with sam.built(home=HOME, settings=settings, architecture=sam.machine_architecture()):
        for folder in (TASKS, PACKAGES):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        built = sorted(path for path in paths.BUILD.iterdir() if path.is_dir())
        for artifact in built:
            if artifact.name.endswith(_LAYER):
                shutil.copytree(artifact / "python", PACKAGES, dirs_exist_ok=True)
            else:
                shutil.copytree(artifact, TASKS / artifact.name)
        return [_size(artifact) for artifact in built]


def functions() -> list[str]:
    """Give the logical ids of the functions that were built."""
    return sorted(path.name for path in TASKS.iterdir() if path.name.endswith(_FUNCTION))


def _size(artifact: Path) -> Size:
    files = [path for path in sorted(artifact.rglob("*")) if path.is_file()]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, path.relative_to(artifact))
    return Size(artifact.name, packed.tell(), sum(path.stat().st_size for path in files))
