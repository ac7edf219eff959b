"""Registrants: one item an address and session, under an id that follows from both.

So one conditional put is registration and uniqueness at once, and reading by id or by
address is one read.  Two addresses may share an id, once in two thousand million:
the later one moves on to its next.  For that to stay true after a cancellation the
item stays too, as the keyed mark of its address and nothing else.

Limited places are counted in parts, each an item of its own that a registration
raises in the same transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vestibule.model import Registrant
from vestibule.store.directory import keys, lists
from vestibule.store.directory.sessions import session_of
from vestibule.store.items import pack, record_of, values_of
from vestibule.store.outbox import event_of
from vestibule.store.table import IS_NEW, UNCHANGED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vestibule.model import Session
    from vestibule.store.directory.lists import Position
    from vestibule.store.items import Item
    from vestibule.store.table import Action, Table

_HAS_ROOM = "attribute_not_exists(taken) OR taken < :quota"
"""True when the part has a place left."""
_IS_TAKEN = "taken > :none"
"""True when there is a place to give back."""
_COUNTED = "earlier > :none"
"""True when registrants from before the limit are still counted."""


class RegistrantStore:
    """Registrants in the directory table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, account_id: str, session_id: str, registrant_id: str) -> Registrant | None:
        """Read a registrant, strongly consistently; one who cancelled is none."""
        return registrant_of(self.trace(account_id, session_id, registrant_id))

    def trace(self, account_id: str, session_id: str, registrant_id: str) -> dict[str, Any] | None:
        """Read what stands under an id, be it what is left of one who cancelled."""
        return self._table.get(keys.registrant(account_id, session_id, registrant_id), consistent=True)

    def with_session(
        self, account_id: str, session_id: str, registrant_id: str
    ) -> tuple[Session | None, Registrant | None]:
        """Read a registrant and the session, strongly consistently, in one call."""
        wanted = (keys.session(account_id, session_id), keys.registrant(account_id, session_id, registrant_id))
        found = {
            values["sk"]: values for values in self._table.read_together([(self._table, key, True) for key in wanted])
        }
        session = found.get("session")
        return session_of(session) if session else None, registrant_of(found.get("registrant"))

    def write(self, registrant: Registrant, *also: Action, seen: int | None = None) -> None:
        """Write a registrant, new or changed.

        Parameters
        ----------
        also
            What must happen with it.
        seen
            Version of the item that it takes the place of, None when there is none.

        Raises
        ------
        ConditionFailedError
            ``index`` 0: something else stands there; beyond, one of ``also`` was refused.
        """
        self._table.write(self._put(_item(registrant), seen), *also)

    def cancel(self, registrant: Registrant, now: int, *also: Action) -> None:
        """Leave nothing of a registrant but the mark of the address.

        Raises
        ------
        ConditionFailedError
            Somebody else changed the registrant, or one of ``also`` was refused.
        """
        left = {
            "registrant_id": registrant.registrant_id,
            "email_mark": registrant.email_mark,
            "link_version": registrant.link_version,
            "cancelled_at": now,
            "version": registrant.version + 1,
        }
        self._table.write(self._put(_key(registrant) | pack(left), registrant.version), *also)

    def page(
        self, account_id: str, session_id: str, *, after: Position | None, limit: int
    ) -> tuple[list[Registrant], Position | None]:
        """Return one page of a session's registrants, see `lists.page`."""
        found, end = lists.page(
            self._table,
            lambda shard: keys.registrants_list(account_id, session_id, shard),
            after=after,
            limit=limit,
        )
        return [one for one in map(registrant_of, found) if one is not None], end

    def count(self, account_id: str, session_id: str) -> int:
        """Count a session's registrants, as of a moment ago."""
        return sum(
            self._table.count(
                "list_key = :list",
                {":list": keys.registrants_list(account_id, session_id, shard)},
                index=keys.LISTED,
            )
            for shard in range(keys.LIST_SHARDS)
        )

    # --- limited places ---------------------------------------------------------------------

    def taking(self, account_id: str, session_id: str, part: str, *, quota: int) -> Action:
        """Return the action that takes one place of a part, of which it has ``quota`` (1 or more)."""
        return self._table.change(
            keys.places(account_id, session_id, part),
            "SET taken = if_not_exists(taken, :none) + :one",
            _HAS_ROOM,
            {":none": 0, ":one": 1, ":quota": quota},
        )

    def freeing(self, account_id: str, session_id: str, part: str) -> Action:
        """Return the action that gives a place of a part back."""
        return self._table.change(
            keys.places(account_id, session_id, part),
            "SET taken = taken - :one",
            _IS_TAKEN,
            {":none": 0, ":one": 1},
        )

    def taken(self, account_id: str, session_id: str, parts: Sequence[str]) -> dict[str, int]:
        """Read how many places of each part are taken, in one call."""
        named = {keys.places(account_id, session_id, part)["pk"]["S"]: part for part in parts}
        found = self._table.read_all([keys.places(account_id, session_id, part) for part in parts])
        return dict.fromkeys(parts, 0) | {named[values["pk"]]: values["taken"] for values in found}

    def before(self, account_id: str, session_id: str, generation: int) -> int | None:
        """Read how many had registered before a limit was set, None when nobody has counted yet."""
        values = self._table.get(_base(account_id, session_id, generation), consistent=True)
        return values["earlier"] if values else None

    def note_before(self, account_id: str, session_id: str, generation: int, count: int) -> None:
        """Write down how many had registered before a limit was set.

        Raises
        ------
        ConditionFailedError
            ``found`` says what somebody else has counted.
        """
        item = _base(account_id, session_id, generation) | pack({"earlier": count})
        self._table.write(self._table.put(item, IS_NEW))

    def forgetting_one(self, account_id: str, session_id: str, generation: int) -> Action:
        """Return the action that counts one registrant less from before a limit was set."""
        return self._table.change(
            _base(account_id, session_id, generation),
            "SET earlier = earlier - :one",
            _COUNTED,
            {":none": 0, ":one": 1},
        )

    def _put(self, item: Item, seen: int | None) -> Action:
        return self._table.put(item, IS_NEW) if seen is None else self._table.put(item, UNCHANGED, {":seen": seen})


def registrant_of(values: Mapping[str, Any] | None) -> Registrant | None:
    """Return the registrant that an unpacked item holds, None for what is left of one who cancelled."""
    if values is None or "cancelled_at" in values:
        return None
    return record_of(Registrant, {**values, "event": event_of(values)})


def _key(registrant: Registrant) -> Item:
    return keys.registrant(registrant.account_id, registrant.session_id, registrant.registrant_id)


def _base(account_id: str, session_id: str, generation: int) -> Item:
    return keys.places(account_id, session_id, f"{generation}.before")


def _item(registrant: Registrant) -> Item:
    shard = keys.shard_of(registrant.registrant_id)
    index = lists.entry(
        keys.registrants_list(registrant.account_id, registrant.session_id, shard),
        registrant.created_at,
        registrant.registrant_id,
    )
    return _key(registrant) | pack(values_of(registrant) | index)
