"""Compile everything below `.aws-sam/build`, so that no cold start has to.

`sam build` ships sources alone, and Lambda cannot write /var/task or /opt: without this step every new
process compiles every module that it imports. The invariants: each .py file has its .pyc; a .pyc is valid
whatever the timestamps (unchecked-hash, PEP 552: the zip dates every file 1980); and the same sources give
the same bytes wherever they were built, so that an unchanged layer is not deployed again.

Usage: python -m tools.bytecode [BUILD_FOLDER]
"""

import compileall
import py_compile
import sys
from pathlib import Path

from tools.local.paths import BUILD

RUNTIME = (3, 13)
DEEPEST_FOLDER = 32


def main(build: Path = BUILD) -> str | int:
    """Compile the build folder; return what `sys.exit` takes: 0, or what is wrong."""
    if sys.version_info[:2] != RUNTIME:
        return f"bytecode: Lambda runs Python {RUNTIME[0]}.{RUNTIME[1]}, this is {sys.version.split()[0]}"
    artifacts = [path for path in sorted(build.glob("*")) if path.is_dir()]
    if not artifacts:
        return f"bytecode: nothing is built in {build}: run `sam build` first"
    for artifact in artifacts:
        if not compile_artifact(artifact):
            return f"bytecode: a file of {artifact.name} does not compile (its error is above)"
    print(f"bytecode: {len(artifacts)} artifacts compiled")
    return 0


def compile_artifact(artifact: Path) -> bool:
    """Compile one function's or layer's folder; tell whether every file did.

    A layer's code lies below `python/` and is mounted at /opt, a function's at /var/task: that is the path
    that the bytecode names, not the one of the machine that built it.
    """
    mounted_at = "/opt" if (artifact / "python").is_dir() else "/var/task"
    return bool(
        compileall.compile_dir(
            artifact,
            maxlevels=DEEPEST_FOLDER,
            stripdir=str(artifact),
            prependdir=mounted_at,
            quiet=1,
            force=True,
            workers=0,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
    )


if __name__ == "__main__":
    sys.exit(main(*(Path(argument) for argument in sys.argv[1:])))
