"""Waiting lists in the passes table: one item a room, one entry in it for everybody at the door.

A list is short (`WAITING_AT_MOST`), so that it is read at once and everything that two
could do at the same moment meets on one item: nobody stands in it twice, and of two who
decide about somebody one is first.  Each change touches a single entry, on condition that
the entry is still the one that was read; what the list holds beside it changes freely.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vestibule.clock import DAY, to_epoch_seconds
from vestibule.model import Room, Waiter, WaitingState
from vestibule.store.directory import keys as directory_keys
from vestibule.store.directory.rooms import room_of
from vestibule.store.items import pack, record_of, values_of
from vestibule.store.table import IS_NEW, ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vestibule.store.items import Item
    from vestibule.store.table import Table

WAITING_AT_MOST = 50
"""People in one room's list: who comes later is asked to come back."""

_PREFIX = "waiting#"
_FORGOTTEN_AFTER = DAY
"""How long an empty list may lie around; every entry's own end is in the conditions."""

_KNOWN = "attribute_exists(pk)"
"""True when the room has a list (an update would otherwise create one)."""
_HAS_PLACE = "size(waiters) < :most"
"""True when there is a place, or there will be one when those who left are taken out."""
_NOT_THERE = "attribute_not_exists(waiters.#who)"
"""True when the person is not in the list."""
_AS_READ = "waiters.#who.seen_at = :seen_at AND waiters.#who.#state = :state AND waiters.#who.proof = :proof"
"""True when nothing has happened to the entry since it was read."""
_OWN = "waiters.#who.proof = :proof"
"""True when the entry is this very page's."""
_WAITS = "waiters.#who.#state = :waiting"
"""True as long as nobody has decided."""
_PRESENT = "waiters.#who.seen_at > :alive"
"""True while the page was heard of not long ago."""
_ADMITTED_TO = "waiters.#who.session_id = :session"
"""True while the entry leads into that session."""


class WaitingStore:
    """Waiting lists in the passes table, read together with their rooms in the directory."""

    def __init__(self, passes: Table, directory: Table) -> None:
        self._passes = passes
        self._directory = directory

    def of_room(self, account_id: str, room_id: str) -> dict[str, Waiter]:
        """Read a room's list by who is in it, strongly consistently."""
        return waiters_of(self._passes.get(_key(account_id, room_id), consistent=True))

    def with_rooms(self, account_id: str, room_ids: Sequence[str]) -> list[tuple[Room, dict[str, Waiter]]]:
        """Read up to 50 rooms with their lists in one call, strongly consistently, without rooms that are gone."""
        wanted = [(self._directory, directory_keys.room(account_id, room_id), True) for room_id in room_ids]
        wanted += [(self._passes, _key(account_id, room_id), True) for room_id in room_ids]
        rooms: dict[str, Room] = {}
        lists: dict[str, dict[str, Waiter]] = {}
        for values in self._passes.read_together(wanted):
            if values["pk"].startswith(_PREFIX):
                lists[values["room_id"]] = waiters_of(values)
            else:
                rooms[values["room_id"]] = room_of(values)
        return [(rooms[room_id], lists.get(room_id, {})) for room_id in room_ids if room_id in rooms]

    def put(
        self, account_id: str, room_id: str, waiter: Waiter, *, before: Waiter | None, gone: Sequence[Waiter] = ()
    ) -> None:
        """Write somebody's entry.

        Parameters
        ----------
        before
            The entry as it was read, None when there was none.
        gone
            Entries that are taken out for it, as they were read.

        Raises
        ------
        ConditionFailedError
            ``found`` is the list: the entry is another by now, so is one of those that would go,
            or there is no place.
        """
        names = {"#who": waiter.key, "#ttl": "ttl"}
        values: dict[str, Any] = {":entry": values_of(waiter), ":ttl": _ttl(waiter.seen_at)}
        conditions = []
        if before is None:
            conditions += [_KNOWN, _NOT_THERE, _HAS_PLACE]
            values[":most"] = WAITING_AT_MOST + len(gone)
        else:
            conditions.append(_AS_READ)
            names["#state"] = "state"
            values |= {":seen_at": before.seen_at, ":state": before.state, ":proof": before.proof}
        change = "SET waiters.#who = :entry, #ttl = :ttl"
        for number, one in enumerate(gone):
            names[f"#gone{number}"] = one.key
            values[f":gone{number}"] = one.seen_at
            conditions.append(f"waiters.#gone{number}.seen_at = :gone{number}")
        if gone:
            change += " REMOVE " + ", ".join(f"waiters.#gone{number}" for number in range(len(gone)))
        condition = " AND ".join(conditions)
        key = _key(account_id, room_id)
        try:
            self._passes.update(key, change, condition, values, names=names)
        except ConditionFailedError as refused:
            if refused.found is not None or before is not None:
                raise
            self._begin(key, room_id)
            self._passes.update(key, change, condition, values, names=names)

    def keep(self, account_id: str, room_id: str, who: str, *, proof: str, now: int, missed: int) -> None:
        """Note that a page is still there, or is there again.

        Parameters
        ----------
        missed
            Whoever was not heard of since then has lost the place.

        Raises
        ------
        ConditionFailedError
            The entry is not this page's, is too old, or is decided about; ``found`` is the list.
        """
        self._passes.update(
            _key(account_id, room_id),
            "SET waiters.#who.seen_at = :now, #ttl = :ttl",
            f"{_OWN} AND {_WAITS} AND {_PRESENT}",
            {":now": now, ":ttl": _ttl(now), ":proof": proof, ":waiting": WaitingState.WAITING, ":alive": missed},
            names={"#who": who, "#state": "state", "#ttl": "ttl"},
        )

    def leave(self, account_id: str, room_id: str, who: str, *, proof: str) -> None:
        """Take somebody out of the list; doing so again changes nothing.

        Raises
        ------
        ConditionFailedError
            The entry is not this page's.
        """
        self._passes.update(
            _key(account_id, room_id), "REMOVE waiters.#who", _OWN, {":proof": proof}, names={"#who": who}
        )

    def decide(
        self,
        account_id: str,
        room_id: str,
        who: str,
        state: WaitingState,
        *,
        by: str,
        now: int,
        alive: int,
        session_id: str | None = None,
    ) -> Waiter:
        """Admit somebody or turn them away, once.

        Parameters
        ----------
        by
            The user who decides.
        alive
            Whoever was not heard of since then is not there any more.
        session_id
            Where they are admitted to; left out, the entry's own session stays.

        Raises
        ------
        ConditionFailedError
            They are not there, or somebody has decided already; ``found`` is the list.
        """
        change = (
            "SET waiters.#who.#state = :state, waiters.#who.decided_by = :by, waiters.#who.decided_at = :now,"
            " #ttl = :ttl"
        )
        values: dict[str, Any] = {":state": state, ":by": by, ":now": now, ":ttl": _ttl(now)}
        values |= {":waiting": WaitingState.WAITING, ":alive": alive}
        if session_id is not None:
            change += ", waiters.#who.session_id = :session"
            values[":session"] = session_id
        found = self._passes.update(
            _key(account_id, room_id),
            change,
            f"{_WAITS} AND {_PRESENT}",
            values,
            names={"#who": who, "#state": "state", "#ttl": "ttl"},
        )
        return waiters_of(found)[who]

    def lead_in(
        self, account_id: str, room_id: str, who: str, *, session_id: str, into: str, participant_id: str | None
    ) -> None:
        """Note as whom an admitted walk-in takes part, or that the session is another.

        Parameters
        ----------
        session_id
            The session that the entry names so far.
        into
            The one that it names from now on.

        Raises
        ------
        ConditionFailedError
            The entry names another session, or is gone.
        """
        change, values = "SET waiters.#who.session_id = :into", {":session": session_id, ":into": into}
        if participant_id is not None:
            change, values = f"{change}, waiters.#who.participant_id = :as", values | {":as": participant_id}
        self._passes.update(_key(account_id, room_id), change, _ADMITTED_TO, values, names={"#who": who})

    def _begin(self, key: Item, room_id: str) -> None:
        """Write an empty list, unless somebody else has just done so."""
        try:
            self._passes.write(self._passes.put(key | pack({"room_id": room_id, "waiters": {}}), IS_NEW))
        except ConditionFailedError:
            return


def waiters_of(values: Mapping[str, Any] | None) -> dict[str, Waiter]:
    """Return the entries of an unpacked list by who they are; none when there is no list."""
    found = (values or {}).get("waiters", {})
    return {
        key: record_of(Waiter, {**entry, "key": key, "state": WaitingState(entry["state"])})
        for key, entry in found.items()
    }


def _ttl(seen_at: int) -> int:
    return to_epoch_seconds(seen_at + _FORGOTTEN_AFTER)


def _key(account_id: str, room_id: str) -> Item:
    return pack({"pk": f"{_PREFIX}{account_id}#{room_id}"})
