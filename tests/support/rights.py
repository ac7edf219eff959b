"""What the functions asked AWS for in a session of tests, and how several sessions are judged together.

pytest tests/stack --note-calls a.json
pytest tests/browser --note-calls b.json
pytest tests/stack/test_last.py -k grant --noted-calls a.json --noted-calls b.json
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pytest

    from tests.support.proxy import Call

    type Rights = dict[str, set[str]]
    """Function's logical id -> actions, such as `dynamodb:GetItem`."""

NOTE, NOTED = "--note-calls", "--noted-calls"

_ONE_RIGHT = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "ses:POST /v2/email/outbound-emails": "ses:SendRawEmail",
}
"""The right that AWS asks for, where an operation has another name."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the files that sessions tell each other by."""
    parser.addoption(NOTE, type=Path, help="write what the functions asked AWS for into this file")
    parser.addoption(NOTED, type=Path, action="append", default=[], help="judge by such a file; several, for a whole")


def note(config: pytest.Config, calls: Iterable[Call]) -> None:
    """Write down what a session's functions asked for, when that is wanted."""
    path: Path | None = config.getoption(NOTE)
    if path is not None:
        path.write_text(json.dumps({name: sorted(rights) for name, rights in asked_for(calls).items()}))


def noted(config: pytest.Config) -> Rights | None:
    """Return what other sessions' functions asked for, all together; None when no session is named."""
    paths: list[Path] = config.getoption(NOTED)
    found: Rights = {}
    for path in paths:
        for name, rights in json.loads(path.read_text()).items():
            found.setdefault(name, set()).update(rights)
    return found if paths else None


def asked_for(calls: Iterable[Call]) -> Rights:
    """Return the actions that each function's SDK calls needed."""
    found: Rights = {}
    for call in calls:
        if call.function is not None:
            found.setdefault(call.function, set()).update(_actions(call))
    return found


def _actions(call: Call) -> Iterator[str]:
    if call.action == "TransactWriteItems":
        members: list[Mapping[str, Any]] = call.payload["TransactItems"]
        yield from (f"dynamodb:{kind}Item" for member in members for kind in member)
    else:
        action = f"{call.service}:{call.action}"
        yield _ONE_RIGHT.get(action, action)
