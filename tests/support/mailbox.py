"""People's mailboxes at the local stack's emulator, and the links in what came."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from tests.support.portal import HandedOut
    from tools.local import Stack

PATIENCE = 40.0
"""Seconds; most of it is for two cores that start a process."""
_LINK = re.compile(r"https?://\S+/sign-in/(?:link|password)/([A-Za-z0-9_-]{43})\S*")


def mails_to(stack: Stack, address: str) -> list[dict[str, Any]]:
    """Give the mails that SES took for an address."""
    boxes = httpx.get(f"{stack.emulator_url}/_ministack/ses/messages").json()["messages"]
    return [mail for box in boxes.values() for mail in box if mail["To"] == [address]]


def mailed_links(stack: Stack, handed_out: HandedOut, address: str, *, count: int = 1) -> list[str]:
    """Wait until as many links by mail have come to an address; give them."""
    deadline = time.monotonic() + PATIENCE
    while len(mails := mails_to(stack, address)) < count:
        assert time.monotonic() < deadline, f"{len(mails)} of {count} mails came"
        time.sleep(0.1)
    found = []
    for mail in mails:
        (link, token), *_ = ((match[0], match[1]) for match in _LINK.finditer(mail["BodyText"]))
        handed_out.note("mailed link", token)
        found.append(link)
    return found
