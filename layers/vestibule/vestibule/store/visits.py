"""Visits in the journal table: who came, written once, and until when they were there, written again and again.

The two are items of their own side by side, so that the mark of each minute is small,
whatever the portal has to say about the person.  A session's visits are spread over
partitions by the visit's id; nothing is ever removed, and a mark only moves forward.

A mark stands in the index ``present`` until the last one takes its place, in the order
of the marks: whoever is there now is one range of it, however many were there before.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import batched, chain
from typing import TYPE_CHECKING, Any
from zlib import crc32

from vestibule.model import Entrance, ParticipantRole, Stay, Visit
from vestibule.store.items import pack, record_of, values_of
from vestibule.store.table import IS_NEW, ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from vestibule.store.items import Item
    from vestibule.store.table import Table

    type Position = tuple[int, str]
    """Where a page ended: the partition, and the sort key in it."""
    type Entry = Mapping[str, Any]
    """An entry of the index ``present``."""

PARTS = 16
"""Partitions of one session's visits: a thousand writes a second each."""

PRESENT = "present"
"""Index over ``present_key`` and ``present_sort``: the marks of those who have not left, by their moment."""
PRESENT_PARTS = 4
"""Partitions of one session's entries: with two writes a minute and person, 120,000 people at once."""

_GOES_ON = "attribute_not_exists(pk) OR (has_left = :no AND left_at <= :left)"
"""True unless a later mark stands there, or the last one."""
_IS_NOT_OVER = "attribute_not_exists(pk) OR has_left = :no"
"""True unless the last mark stands there; that one may come from a clock that is a little behind."""
_WHO, _SEEN = "#0who", "#1seen"
_READ_TOGETHER = 100
"""Items in one call, DynamoDB's limit."""
_OF_THE_MARK = ("left_at", "has_left", "role")
_OF_A_STAY = ("sk", "left_at", "has_left", "email", "user_id", "own_id")
"""What adding up reads: the key says the rest."""
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
        item = _key(visit, _SEEN) | pack({name: getattr(visit, name) for name in _OF_THE_MARK} | _entry(visit))
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
        return self._read(account_id, session_id, after, limit, begun=_visit_of)

    def stays(
        self, account_id: str, session_id: str, *, after: Position | None, limit: int
    ) -> tuple[list[Stay], Position | None]:
        """Return one page of the same visits as `page`, each without what only a reader of it wants to know."""
        return self._read(account_id, session_id, after, limit, begun=_stay_of, only=_OF_A_STAY)

    def _read[S: Stay](
        self,
        account_id: str,
        session_id: str,
        after: Position | None,
        limit: int,
        *,
        begun: Callable[[Mapping[str, Any]], S],
        only: Sequence[str] = (),
    ) -> tuple[list[S], Position | None]:
        """Read a page; ``begun`` makes a visit of the item that says who came."""
        part, sort = after or (0, _BEFORE_ALL)
        visits: list[S] = []
        while part < PARTS:
            # One item more than the visits have: the last visit's mark is never cut off.
            wanted = 2 * (limit - len(visits)) + 1
            found = self._table.query(
                "pk = :part AND sk > :after",
                {":part": _partition(account_id, session_id, part), ":after": sort},
                limit=wanted,
                only=only,
            )
            is_cut = len(found) == wanted
            if is_cut and found[-1]["sk"].endswith(_WHO):
                found.pop()
            visits = (visits + _paired(found, begun))[:limit]
            if len(visits) == limit:
                last = visits[-1]
                return visits, (_part(last), f"{_sort(last)}~")
            part, sort = (part, found[-1]["sk"]) if is_cut else (part + 1, _BEFORE_ALL)
        return visits, None

    def present(
        self, account_id: str, session_id: str, *, since: int, after: Position | None, limit: int
    ) -> tuple[list[Visit], Position | None]:
        """Return one page of the visits that go on: partition by partition, in each by their last mark.

        Somebody who is marked while the pages are read may come twice, and is never left out.

        Parameters
        ----------
        since
            Milliseconds since the epoch: whoever was last marked then or earlier is not there any more.
        limit
            Visits at most, 1 to 100.
        """
        part, sort = after or (0, "")
        entries: list[Entry] = []
        while part < PRESENT_PARTS:
            entries += self._marked(account_id, session_id, part, max(sort, _moment(since)), limit - len(entries))
            if len(entries) == limit:
                return self._visits_of(entries), (part, entries[-1]["present_sort"])
            part, sort = part + 1, ""
        return self._visits_of(entries), None

    def present_first(
        self, account_id: str, session_id: str, *, since: int, named: int, counted: int
    ) -> tuple[list[Visit], list[int]]:
        """Return the visits that have gone on for longest, and how many go on in each partition.

        Parameters
        ----------
        since
            See `present`.
        named
            Visits at most, of those that are counted.
        counted
            How far each partition is counted.
        """
        parts = [self._marked(account_id, session_id, part, _moment(since), counted) for part in range(PRESENT_PARTS)]
        longest = sorted(chain.from_iterable(parts), key=lambda entry: entry["sk"])[:named]
        return self._visits_of(longest), list(map(len, parts))

    def count_present(self, account_id: str, session_id: str, *, since: int) -> int:
        """Count the visits that go on; see `present`."""
        return sum(
            self._table.count(
                "present_key = :part AND present_sort > :after",
                {":part": _present(account_id, session_id, part), ":after": _moment(since)},
                index=PRESENT,
            )
            for part in range(PRESENT_PARTS)
        )

    def _marked(self, account_id: str, session_id: str, part: int, after: str, limit: int) -> list[dict[str, Any]]:
        return self._table.query(
            "present_key = :part AND present_sort > :after",
            {":part": _present(account_id, session_id, part), ":after": after},
            index=PRESENT,
            limit=limit,
        )

    def _visits_of(self, entries: Iterable[Entry]) -> list[Visit]:
        """Return the visits behind entries, in their order, without those that have ended just now."""
        visits: list[Visit] = []
        for some in batched(entries, _READ_TOGETHER // 2, strict=False):
            marks = [(entry["pk"], entry["sk"].removesuffix(_SEEN)) for entry in some]
            wanted = [pack({"pk": pk, "sk": f"{sort}{kind}"}) for pk, sort in marks for kind in (_WHO, _SEEN)]
            found = {(values["pk"], values["sk"]): values for values in self._table.read_all(wanted)}
            items = [found.get((pk, f"{sort}{kind}")) for pk, sort in marks for kind in (_WHO, _SEEN)]
            visits += _paired([values for values in items if values], _visit_of)
        return [visit for visit in visits if not visit.has_left]


def _paired[S: Stay](found: list[dict[str, Any]], begun: Callable[[Mapping[str, Any]], S]) -> list[S]:
    """Put the two items of each visit together; a mark of which nobody knows whose it is, is left out."""
    visits: list[S] = []
    for values in found:
        if values["sk"].endswith(_WHO):
            visits.append(begun(values))
        elif visits and values["sk"] == f"{_sort(visits[-1])}{_SEEN}":
            visits[-1] = replace(visits[-1], **_mark_of(values))
    return visits


def _mark_of(values: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: values[name] for name in _OF_THE_MARK if name in values}
    return known | ({"role": ParticipantRole(known["role"])} if "role" in known else {})


def _stay_of(values: Mapping[str, Any]) -> Stay:
    joined_at, visit_id, _ = values["sk"].split("#", 2)
    return record_of(Stay, {**values, "visit_id": visit_id, "joined_at": int(joined_at), "left_at": int(joined_at)})


def _visit_of(values: Mapping[str, Any]) -> Visit:
    kinds = {"entrance": Entrance(values["entrance"]), "role": ParticipantRole(values["role"])}
    return record_of(Visit, {**values, **kinds, "left_at": values["joined_at"]})


def _partition(account_id: str, session_id: str, part: int) -> str:
    return f"account#{account_id}#visits#{session_id}#{part}"


def _present(account_id: str, session_id: str, part: int) -> str:
    return f"account#{account_id}#present#{session_id}#{part}"


def _moment(moment: int) -> str:
    """Return a sort key of the index that stands after every mark of a moment."""
    return f"{moment:015d}~"


def _entry(visit: Visit) -> dict[str, str]:
    """Return the attributes that put a mark into the index; the last mark takes the visit out."""
    if visit.has_left:
        return {}
    part = crc32(visit.visit_id.encode()) % PRESENT_PARTS
    return {
        "present_key": _present(visit.account_id, visit.session_id, part),
        "present_sort": f"{visit.left_at:015d}#{visit.visit_id}",
    }


def _sort(visit: Stay) -> str:
    return f"{visit.joined_at:015d}#{visit.visit_id}"


def _part(visit: Stay) -> int:
    return crc32(visit.visit_id.encode()) % PARTS


def _key(visit: Visit, kind: str) -> Item:
    partition = _partition(visit.account_id, visit.session_id, _part(visit))
    return pack({"pk": partition, "sk": f"{_sort(visit)}{kind}"})
