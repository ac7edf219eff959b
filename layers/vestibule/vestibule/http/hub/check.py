"""``/check``: whether this device can see, hear and be heard, before the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vestibule.http.event import Answer
    from vestibule.http.hub.visit import Visit


def check(visit: Visit) -> Answer:
    """Show the page whose script does the rest; nothing that it sees or hears leaves the browser."""
    if visit.account is None:
        return visit.elsewhere()
    return visit.page("check.html", uses_devices=True)
