"""Visits in the journal table: who came, written once, and until when they were there, written again and again.

The two are items of their own side by side, so that the mark of each minute is small,
whatever the portal has to say about the person.  A session's visits are spread over
partitions by the visit's id; nothing is ever removed, and a mark only moves forward.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from zlib import crc32

from vestibule.model import Entrance, ParticipantRole, Visit
from vestibule.store.items import pack, record_of, values_of
from vestibule.store.table import IS_NEW, ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vestibule.store.items import Item
    from vestibule.store.table import Table

    type Position = tuple[int, str]
    """Where a page ended: the partition, and the sort key in it."""

PARTS = 16
"""Partitions of one session's visits: a thousand writes a second each."""

_GOES_ON = "attribute_not_exists(pk) OR (has_left = :no AND left_at <= :left)"
"""True unless a later mark stands there, or the last one."""
_IS_NOT_OVER = "attribute_not_exists(pk) OR has_left = :no"
"""True unless the last mark stands there; that one may come from a clock that is a little behind."""
_WHO, _SEEN = "#0who", "#1seen"
_OF_THE_MARK = ("left_at", "has_left", "role")
_BEFORE_ALL = "0"


class VisitStore:
    """Visits in the journal table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def begin(self, visit: Visit) -> None:
        """Write who came.

        Raises
        ------
        ConditionFailedError
            The visit's id is taken.
        """
        values = {name: value for name, value in values_of(visit).items() if name not in ("left_at", "has_left")}
        self._table.write(self._table.put(_key(visit, _WHO) | pack(values), IS_NEW))

    def mark(self, visit: Visit) -> None:
        """Write until when a visitor was there; an earlier mark than the known one changes nothing."""
        item = _key(visit, _SEEN) | pack({name: getattr(visit, name) for name in _OF_THE_MARK})
        condition = _IS_NOT_OVER if visit.has_left else _GOES_ON
        values = {":no": False} | ({} if visit.has_left else {":left": visit.left_at})
        with suppress(ConditionFailedError):
            self._table.write(self._table.put(item, condition, values))

    def page(
        self, account_id: str, session_id: str, *, after: Position | None, limit: int
    ) -> tuple[list[Visit], Position | None]:
        """Return one page of a session's visits: partition by partition, in each by the moment of joining.

        Parameters
        ----------
        limit
            Visits at most, 1 to 100.
        """
        part, sort = after or (0, _BEFORE_ALL)
        visits: list[Visit] = []
        while part < PARTS:
            # One item more than the visits have: the last visit's mark is never cut off.
            wanted = 2 * (limit - len(visits)) + 1
            found = self._table.query(
                "pk = :part AND sk > :after",
                {":part": _partition(account_id, session_id, part), ":after": sort},
                limit=wanted,
            )
            is_cut = len(found) == wanted
            if is_cut and found[-1]["sk"].endswith(_WHO):
                found.pop()
            visits = (visits + _paired(found))[:limit]
            if len(visits) == limit:
                last = visits[-1]
                return visits, (_part(last), f"{_sort(last)}~")
            part, sort = (part, found[-1]["sk"]) if is_cut else (part + 1, _BEFORE_ALL)
        return visits, None


def _paired(found: list[dict[str, Any]]) -> list[Visit]:
    """Put the two items of each visit together; a mark of which nobody knows whose it is, is left out."""
    visits: list[Visit] = []
    for values in found:
        if values["sk"].endswith(_WHO):
            visits.append(_visit_of(values))
        elif visits and values["sk"] == f"{_sort(visits[-1])}{_SEEN}":
            known = {**values, "role": ParticipantRole(values["role"])}
            visits[-1] = replace(visits[-1], **{name: known[name] for name in _OF_THE_MARK})
    return visits


def _visit_of(values: Mapping[str, Any]) -> Visit:
    kinds = {"entrance": Entrance(values["entrance"]), "role": ParticipantRole(values["role"])}
    return record_of(Visit, {**values, **kinds, "left_at": values["joined_at"]})


def _partition(account_id: str, session_id: str, part: int) -> str:
    return f"account#{account_id}#visits#{session_id}#{part}"


def _sort(visit: Visit) -> str:
    return f"{visit.joined_at:015d}#{visit.visit_id}"


def _part(visit: Visit) -> int:
    return crc32(visit.visit_id.encode()) % PARTS


def _key(visit: Visit, kind: str) -> Item:
    partition = _partition(visit.account_id, visit.session_id, _part(visit))
    return pack({"pk": partition, "sk": f"{_sort(visit)}{kind}"})
