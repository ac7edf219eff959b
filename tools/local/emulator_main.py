"""Run the emulator; started by `tools.local.emulator` with the Python of the emulator's own environment.

Two invariants. A function's worker process, which the emulator starts with its own interpreter, finds what
Lambda's runtime holds and no package of the project. The emulator itself needs aws-sam-translator (and
with it pydantic) to expand the template: the sam environment's packages are appended to the path of this
one process, which its children do not inherit. And a layer is unpacked once, not for every worker: with
the 40 MB of the dependencies a burst of cold starts would keep the emulator busy for a minute.

Usage: python -P emulator_main.py SAM_SITE_PACKAGES STACK_FOLDER

The folder is not read: it tells in the process list whose emulator this is.
"""

import hashlib
import sys
import tempfile
import threading
import zipfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any


class SharedLayerZip(zipfile.ZipFile):
    """A zip file that, when it is a worker's `layer_<n>.zip`, is unpacked as a link to one common copy."""

    _unpacking = threading.Lock()

    def namelist(self) -> list[str]:
        """Give the names to unpack: none for a layer, which is unpacked by now.

        The emulator checks where each name leads before it unpacks, with a dozen system calls a name. With
        forty workers starting at once that alone took half a minute.
        """
        common = self._common_copy()
        if common is None:
            return super().namelist()
        with self._unpacking:
            if not common.exists():
                unfinished = common.with_suffix(".unfinished")
                super().extractall(unfinished, super().namelist())
                unfinished.rename(common)
        return []

    def extractall(self, path: Any = None, members: Any = None, pwd: bytes | None = None) -> None:
        """Unpack, or link to what the names were asked of before."""
        common = self._common_copy()
        if common is None:
            super().extractall(path, members, pwd)
            return
        folder = Path(path)
        folder.rmdir()
        folder.symlink_to(common)

    def _common_copy(self) -> Path | None:
        """Give the folder that workers share for this layer's content; None for any other zip file."""
        if self.filename is None or not Path(self.filename).name.startswith("layer_"):
            return None
        content = repr([(entry.filename, entry.CRC) for entry in self.infolist()])
        return Path(tempfile.gettempdir(), "layers", hashlib.sha256(content.encode()).hexdigest())


OWN_HOSTS = frozenset({"127.0.0.1", "localhost"})


def leave_other_hosts_alone(app: Any) -> None:
    """Let Cognito's hosted pages (`/logout` and others) answer on the emulator's own host name alone."""

    def on_own_hosts(handle: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def handle_or_pass(method: str, path: str, headers: Mapping[str, str], *rest: Any) -> Any:
            host = headers.get("host", "").partition(":")[0]
            return await handle(method, path, headers, *rest) if host in OWN_HOSTS else None

        return handle_or_pass

    for name in ("_handle_cognito_get_request", "_handle_cognito_body_request"):
        setattr(app, name, on_own_hosts(getattr(app, name)))


def main() -> None:
    """Append the sam environment's packages to the import path and run the emulator until it is told to end."""
    sam_packages, _stack_folder = sys.argv[1:]
    sys.path.append(sam_packages)
    del sys.argv[1:]
    zipfile.ZipFile = SharedLayerZip  # type: ignore[misc]
    # Found in the emulator's environment alone.
    from ministack import app  # noqa: PLC0415

    leave_other_hosts_alone(app)
    app.main()


if __name__ == "__main__":
    main()
