"""Rooms on the wire."""

from collections.abc import Iterable
from typing import Any

from vestibule.clock import to_rfc3339
from vestibule.http.api import Body
from vestibule.model import Room


class RoomCreate(Body):
    """Body of ``POST /v1/rooms``: what is left out or ``null`` is chosen here."""

    name: str
    code: str | None = None
    slug: str | None = None
    domain: str | None = None


class RoomChange(Body):
    """Body of ``PATCH /v1/rooms/{id}``: members left out stay."""

    name: str = ""
    code: str = ""
    slug: str = ""
    domain: str = ""


def room_out(room: Room) -> dict[str, Any]:
    """Return a room as the API shows it."""
    return {
        "id": room.room_id,
        "name": room.name,
        "code": room.code,
        "slug": room.slug,
        "domain": room.domain,
        "users": sorted(room.user_ids),
        "created_at": to_rfc3339(room.created_at),
        "updated_at": to_rfc3339(room.updated_at),
    }


def rooms_out(rooms: Iterable[Room], cursor: str | None = None) -> dict[str, Any]:
    """Return a page of rooms, and where the next begins."""
    return {"items": [room_out(room) for room in rooms], "cursor": cursor}
