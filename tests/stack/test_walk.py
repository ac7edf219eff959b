"""What `make run` says and leaves behind, on the first run and on the next."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest

from tests.support.proxy import calls_of
from tools.local import LocalError, demo
from tools.local.walk import walk
from tools.operate import local_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.portal import HandedOut
    from tests.support.proxy import AwsProxy
    from tools.local import Stack

KEYS = ["api_url", "hub_url", "live_url", "emulator_url", "account_id", "client_id", "client_secret"]


@pytest.fixture
def folder(tmp_path: Path, handed_out: HandedOut) -> Iterator[Path]:
    """Give a folder for what a run notes; note its secret for the session's last test."""
    yield tmp_path
    handed_out.note("client secret", noted(tmp_path)["client_secret"])


def noted(folder: Path) -> dict[str, str]:
    document: dict[str, str] = json.loads((folder / demo.STACK_FILE).read_text())
    return document


def test_a_first_run_and_a_second_one(stack: Stack, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # When
    walk(stack, folder)
    first, said = noted(folder), capsys.readouterr().out
    walk(stack, folder)
    second, said_again = noted(folder), capsys.readouterr().out
    # Then
    assert list(first) == KEYS
    assert first["api_url"] == stack.api_url
    assert first["live_url"] is None
    assert first == second
    assert stat.S_IMODE((folder / demo.STACK_FILE).stat().st_mode) == 0o600
    for text in (said, said_again):
        assert "Hello, Ada Lovelace" in text
        assert "This sign-in link no longer works" in text
        assert "All of it happened as it should." in text
    # The secret is told when it is made, and not again.
    assert said.count(first["client_secret"]) == 1
    assert first["client_secret"] not in said_again


def test_credentials_that_no_longer_work_are_replaced(
    stack: Stack, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given
    before = demo.ready(stack, folder)
    document = noted(folder) | {"client_secret": "lost"}
    (folder / demo.STACK_FILE).write_text(json.dumps(document))
    # When
    walk(stack, folder)
    # Then
    assert noted(folder)["account_id"] == before.account_id
    assert noted(folder)["client_id"] == before.client_id
    assert noted(folder)["client_secret"] not in {"lost", before.client_secret}
    assert "All of it happened as it should." in capsys.readouterr().out


def test_what_somebody_tried_out_is_mended(stack: Stack, folder: Path) -> None:
    # Given
    account_id = demo.ready(stack, folder).account_id
    house = local_site(stack).house
    house.accounts.change(account_id, {"redirect_uris": ["https://other.example"], "revoke_ends_sign_in": False})
    # When
    demo.ready(stack, folder)
    # Then
    account = house.accounts.current(account_id)
    assert account.redirect_uris == ("https://other.example", demo.PORTAL)
    assert account.revoke_ends_sign_in


@pytest.mark.req("R01")
def test_a_step_that_fails_ends_the_run_and_says_which_and_why(
    stack: Stack, aws: AwsProxy, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given: DynamoDB fails whatever the SDK tries
    writes = calls_of(service="dynamodb", action="PutItem", function="LoginUriIssueFunction")
    # When
    with aws.fail(writes, "InternalServerError", status=500, times=3), pytest.raises(LocalError) as failed:
        walk(stack, folder)
    # Then
    assert "the answer should be 201, and was 503" in str(failed.value)
    assert "temporarily_unavailable" in str(failed.value)
    assert "asks for a login URI" in str(failed.value)
    assert "All of it happened" not in capsys.readouterr().out


def test_what_is_noted_of_a_stack_goes_with_it(stack: Stack, tmp_path: Path) -> None:
    demo.ready(stack, tmp_path)
    demo.forget(tmp_path)
    assert list(tmp_path.iterdir()) == []
