"""Every other path: a vendor's spelling of one of ours, or no page at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vestibule.http.hub import addresses
from vestibule.http.hub.visit import redirect

if TYPE_CHECKING:
    from vestibule.http.event import Answer
    from vestibule.http.hub.visit import Visit


def doorway(visit: Visit) -> Answer:
    """Send the browser on to the canonical path, or say that there is no page."""
    path = visit.event.path
    target = addresses.canonical(path, visit.event.query)
    if target is not None and target.partition("?")[0] != path:
        return redirect(target)
    if visit.account is None:
        return visit.elsewhere()
    if path == "/":
        return redirect(addresses.landing(None, visit.event.folded_query))
    return visit.page("not_found.html", status=404)
