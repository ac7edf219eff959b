"""Fetch the JavaScript packages that tests read our output with, as other people's programs would.

The invariants: what is unpacked below `.local/npm` is byte for byte what the table names (SHA-512, in the form in
which the registry states it), from wherever it came; and nothing of it is ever run but inside a browser's page.

Usage: python -m tools.npm (as `make test` does: prints where each package lies, or the one thing that is wrong)
"""

import base64
import hashlib
import io
import os
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

import httpx

from tools.local import paths

PUBLIC_REGISTRY = "https://registry.npmjs.org"
HOME = paths.LOCAL / "npm"
FETCH_SECONDS = 60.0
HOW_TO_GET_THEM = "JavaScript packages are missing: run `python -m tools.npm`"

_TOP_FOLDER = "package"


@dataclass(frozen=True, slots=True)
class Package:
    """One version of a package, with its integrity (W3C Subresource Integrity) as `npm view NAME dist` says it."""

    name: str
    version: str
    integrity: str

    @property
    def folder(self) -> Path:
        """Where it is unpacked."""
        return HOME / f"{self.name}@{self.version}"

    @property
    def path(self) -> str:
        """Its address below a registry's."""
        return f"/{self.name}/-/{self.name.rpartition('/')[2]}-{self.version}.tgz"


PACKAGES = {
    package.name: package
    for package in (
        # The calendar reader of Thunderbird and of many web sites.
        Package(
            "ical.js",
            "2.2.1",
            "sha512-yK/UlPbEs316igb/tjRgbFA8ZV75rCsBJp/hWOatpyaPNlgw0dGDmU+FoicOcwX4xXkeXOkYiOmCqNPFpNPkQg==",
        ),
        # Tokens in browsers and in Node: what a portal's programmer would check ours with.
        Package(
            "jose",
            "6.2.17",
            "sha512-wOuK9V1yujQFH5S0ZWmLcDZN7+IKh9bUCC2ZPCf2HDlol3WWHy+PPyNjEI75FXRLMp3vDKQcupP59xhVU95hcg==",
        ),
    )
}


class FetchError(Exception):
    """A package cannot be had; the text says why, in one line."""


def registry() -> str:
    """Give the registry that npm itself would ask: environment, else the user's .npmrc, else the public one."""
    for name in ("npm_config_registry", "NPM_CONFIG_REGISTRY"):
        if os.environ.get(name):
            return os.environ[name].rstrip("/")
    settings = Path.home() / ".npmrc"
    for line in settings.read_text().splitlines() if settings.is_file() else ():
        name, _, value = line.partition("=")
        if name.strip() == "registry":
            return value.strip().rstrip("/")
    return PUBLIC_REGISTRY


def install(package: Package, client: httpx.Client) -> Path:
    """Unpack a package, unless it lies there; give its folder.

    Raises
    ------
    FetchError
        The registry does not answer, or with something else than what the table names.
    """
    if package.folder.exists():
        return package.folder
    url = registry() + package.path
    try:
        archive = client.get(url).raise_for_status().content
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise FetchError(f"cannot fetch {package.name} {package.version} from {url}: {reason}") from error
    algorithm, _, wanted = package.integrity.partition("-")
    if base64.b64encode(hashlib.new(algorithm, archive).digest()).decode() != wanted:
        raise FetchError(f"{url} is not {package.name} {package.version}: its {algorithm} is another")
    _unpack(archive, package.folder)
    return package.folder


def main() -> str | int:
    """Install all packages; return what `sys.exit` takes: 0, or what is wrong."""
    with httpx.Client(follow_redirects=True, timeout=FETCH_SECONDS) as client:
        for package in PACKAGES.values():
            try:
                print(f"npm: {install(package, client)}")
            except FetchError as error:
                return f"npm: {error}"
    return 0


def _unpack(archive: bytes, folder: Path) -> None:
    """Unpack an archive beside its place and move it there whole: a folder that exists is complete."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as beside, tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(beside, filter="data")
        (Path(beside) / _TOP_FOLDER).rename(folder)


if __name__ == "__main__":
    sys.exit(main())
