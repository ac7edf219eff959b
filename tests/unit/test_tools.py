"""Developer's commands: what they leave out, and what they list."""

from __future__ import annotations

import base64
import hashlib
import io
import shutil
import tarfile
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tools import npm, requirements
from tools.local import LocalError, paths, sam

if TYPE_CHECKING:
    from pathlib import Path

PAGE = """# Requirements

- L01 One wins.
- L02 (later) Another thing.
- L03 Nobody loses.
"""


class Working:
    """A working copy with little in it, and a `sam build` that only notes that it ran."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.built = 0
        for source in sam.SOURCES:
            path = root / source
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix:
                path.write_text(source)
            else:
                (path / "inner").mkdir(parents=True)
                (path / "inner" / "app.py").write_text(source)

    def run(self, label: str, *_: object, **__: object) -> None:
        if label == "sam build":
            self.built += 1
            shutil.rmtree(self.root / "build", ignore_errors=True)  # as sam does
            (self.root / "build").mkdir()

    def build(self, architecture: str = "arm64") -> None:
        sam.build(home=self.root, settings={}, architecture=architecture)


@pytest.fixture
def working(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Working:
    copy = Working(tmp_path)
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(paths, "BUILD", tmp_path / "build")
    monkeypatch.setattr(sam, "run_logged", copy.run)
    return copy


def test_what_is_built_already_is_not_built_again(working: Working) -> None:
    working.build()
    working.build()
    assert working.built == 1


@pytest.mark.parametrize("change", ["edit", "add", "remove", "rename", "another build", "another processor"])
def test_whatever_changed_is_built_again(working: Working, change: str) -> None:
    # Given
    working.build()
    source = working.root / "functions" / "inner" / "app.py"
    # When
    match change:
        case "edit":
            source.write_text("other")
        case "add":
            source.with_name("more.py").write_text("")
        case "remove":
            source.unlink()
        case "rename":
            source.rename(source.with_name("other.py"))
        case "another build":
            working.run("sam build")
            working.built = 1
    working.build("x86_64" if change == "another processor" else "arm64")
    # Then
    assert working.built == 2


def test_a_build_that_failed_is_built_again(working: Working, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given: sam built, and compiling broke
    def broken(label: str, *arguments: Any, **named: Any) -> None:
        if label == "bytecode":
            raise LocalError("bytecode: failed")
        working.run(label, *arguments, **named)

    with monkeypatch.context() as patched:
        patched.setattr(sam, "run_logged", broken)
        with pytest.raises(LocalError):
            working.build()
    # When
    working.build()
    # Then
    assert working.built == 2


def test_requirements_without_a_test_are_listed_and_later_ones_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given
    page = tmp_path / "requirements.md"
    page.write_text(PAGE)
    (tmp_path / "test_one.py").write_text('@pytest.mark.req("L03")\ndef test_it(): ...\n')
    # When
    status = requirements.main(page, tmp_path)
    # Then
    assert status == 0
    assert capsys.readouterr().out.splitlines() == [
        "L01  One wins.",
        "1 of 2 requirements are named by a test",
        "for later: L02",
    ]


def test_an_id_that_no_requirement_has_is_an_error(tmp_path: Path) -> None:
    page = tmp_path / "requirements.md"
    page.write_text(PAGE)
    (tmp_path / "test_one.py").write_text('@pytest.mark.req("L99")\ndef test_it(): ...\n')
    assert "L99" in str(requirements.main(page, tmp_path))


# --- npm -------------------------------------------------------------------------------------------------


def archive_of(files: dict[str, bytes]) -> bytes:
    """Give a package as a registry hands it out."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


ARCHIVE = archive_of({"package/dist/a.js": b"export default 1"})
DIGEST = "sha512-" + base64.b64encode(hashlib.sha512(ARCHIVE).digest()).decode()
WANTED = npm.Package("@scope/a", "1.2.3", DIGEST)


def answering(status: int, content: bytes, asked: list[str]) -> httpx.Client:
    """Give a client of a registry that has one answer."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(status, content=content)

    return httpx.Client(transport=httpx.MockTransport(answer))


@pytest.fixture
def _somewhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npm, "HOME", tmp_path / "npm")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("npm_config_registry", "NPM_CONFIG_REGISTRY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("_somewhere_else")
def test_a_package_is_fetched_once_from_the_registry_that_npm_would_ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    (tmp_path / ".npmrc").write_text("fund=false\nregistry = https://mirror.example/npm/\n")
    asked: list[str] = []

    # when
    with answering(200, ARCHIVE, asked) as client:
        folders = {npm.install(WANTED, client) for _ in range(2)}

    # then
    assert asked == ["https://mirror.example/npm/@scope/a/-/a-1.2.3.tgz"]
    assert [(folder / "dist" / "a.js").read_bytes() for folder in folders] == [b"export default 1"]
    monkeypatch.setenv("npm_config_registry", "https://other.example")
    assert npm.registry() == "https://other.example"


@pytest.mark.usefixtures("_somewhere_else")
@pytest.mark.parametrize(("status", "content", "reason"), [(404, b"", "404"), (200, ARCHIVE + b"x", "sha512")])
def test_what_is_not_the_package_of_the_table_is_not_unpacked(status: int, content: bytes, reason: str) -> None:
    with answering(status, content, []) as client, pytest.raises(npm.FetchError, match=reason) as refused:
        npm.install(WANTED, client)

    assert "\n" not in str(refused.value)
    assert not WANTED.folder.exists()


@pytest.mark.usefixtures("_somewhere_else")
def test_a_package_cannot_write_beside_its_folder(tmp_path: Path) -> None:
    # given
    evil = archive_of({"package/a.js": b"", "../../outside": b"x"})
    digest = "sha512-" + base64.b64encode(hashlib.sha512(evil).digest()).decode()

    # when
    with answering(200, evil, []) as client, pytest.raises(tarfile.TarError):
        npm.install(npm.Package("evil", "1.0.0", digest), client)

    # then
    assert not (tmp_path / "outside").exists()
