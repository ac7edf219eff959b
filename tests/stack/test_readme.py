"""The README's session does what it says, pasted as it stands."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tools.local import demo
from tools.local.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.portal import HandedOut
    from tools.local import Stack


def session() -> str:
    """Give the commands of the README's session with curl."""
    _, _, rest = (ROOT / "README.md").read_text().partition("## A session with curl")
    return "\n".join(re.findall(r"^```sh\n(.*?)^```", rest.partition("\n## ")[0], re.MULTILINE | re.DOTALL))


@pytest.mark.skipif(not shutil.which("curl"), reason="the session needs curl")
def test_the_session_shows_what_the_readme_says(stack: Stack, tmp_path: Path, handed_out: HandedOut) -> None:
    # Given
    folder = tmp_path / ".local"
    folder.mkdir()
    handed_out.note("client secret", demo.ready(stack, folder).client_secret)
    # When
    first, second = paste(tmp_path), paste(tmp_path)
    # Then
    for lines in (first, second):
        _user, heading, used, login, withdrawn, away = lines
        assert "Hello, <bdi>Grace Hopper</bdi>" in heading
        assert used == "403"
        assert json.loads(login)["state"] == "redeemed"
        handed_out.note("login GUID", json.loads(login)["login_guid"])
        assert withdrawn == "204"
        assert away.startswith("303 ")
        assert "/sign-in" in away
    assert json.loads(first[0])["external_id"] == "mrn-1002"
    assert json.loads(second[0])["code"] == "external_id_taken"


def paste(folder: Path) -> list[str]:
    """Run the session in a shell; give the lines that it printed."""
    done = subprocess.run(  # noqa: S603 - our own README
        ["bash", "-eu", "-o", "pipefail", "-c", session()],  # noqa: S607 - what a reader's terminal finds
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
