"""Sessions and their participants: one partition a session, read whole in one query.

A session's unique names (external_id, friendly_url), its participants' ids and
their connect codes are pointers like a user's.  The index entries carry the start
time, so that every list of sessions is in its order; they are hints, the items
are the truth.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Any

from vestibule.model import (
    Appointment,
    Channel,
    Delivery,
    Participant,
    ParticipantRole,
    Registration,
    Rsvp,
    Session,
    SessionStatus,
)
from vestibule.store.directory import keys
from vestibule.store.directory.deliveries import delivery_of
from vestibule.store.items import pack, record_of, values_of
from vestibule.store.outbox import event_of
from vestibule.store.table import IS_NEW, UNCHANGED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vestibule.store.items import Item
    from vestibule.store.table import Action, Table

_FREE_OR_OURS = "attribute_not_exists(pk) OR session_id = :session"
"""True when the name is free, or already leads to this very session."""

_FREE_OR_LEFT = "attribute_not_exists(pk) OR attribute_exists(removed_at)"
"""True when the person never took part, or was removed."""

_HAS_ROOM = "attribute_not_exists(people) OR people <= :room"
"""True when the session has room for those who come; one without a count was read as a whole just before."""
_ROUNDS = 10
"""Attempts at a transaction: everybody who adds people to one session meets on its count."""

_LAST = "9" * 15 + "#~"
"""A sort key of a list that stands after every entry's."""


@dataclass(slots=True)
class Gathering:
    """Everything in a session's partition.

    Attributes
    ----------
    participants
        The host first, then by age.
    removed
        What is left of people who were told of the session and removed, by identity.
    deliveries
        By the participant's id.
    """

    session: Session
    participants: list[Participant] = field(default_factory=list)
    removed: dict[str, Participant] = field(default_factory=dict)
    deliveries: dict[str, Delivery] = field(default_factory=dict)


class SessionStore:
    """Sessions in the directory table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, account_id: str, session_id: str, *, consistent: bool = False) -> Session | None:
        """Read a session alone."""
        values = self._table.get(keys.session(account_id, session_id), consistent=consistent)
        return session_of(values) if values else None

    def known(self, account_id: str, session_id: str) -> Session | None:
        """Read a session as of a moment ago, and one that is not known there strongly consistently: it may be new."""
        return self.get(account_id, session_id) or self.get(account_id, session_id, consistent=True)

    def several(self, account_id: str, session_ids: Sequence[str]) -> list[Session]:
        """Read up to 100 sessions in one call, in the order given, without those that are gone."""
        read = self._table.read_all([keys.session(account_id, session_id) for session_id in session_ids])
        found = {session.session_id: session for session in map(session_of, read)}
        return [found[session_id] for session_id in session_ids if session_id in found]

    def whole(self, account_id: str, session_id: str) -> tuple[Session, list[Participant]] | None:
        """Read a session with its participants, the host first, then by age."""
        found = self.gathering(account_id, session_id)
        return (found.session, found.participants) if found else None

    def gathering(self, account_id: str, session_id: str) -> Gathering | None:
        """Read a session with everything that lies beside it, in one query."""
        values = {":partition": keys.session_partition(account_id, session_id)}
        items = {found["sk"]: found for found in self._table.query("pk = :partition", values)}
        if "session" not in items:
            return None
        gathering = Gathering(session_of(items.pop("session")))
        for sort, found in items.items():
            if sort.startswith(keys.DELIVERY_PREFIX):
                gathering.deliveries[found["participant_id"]] = delivery_of(found)
            elif sort.startswith(keys.PARTICIPANT_PREFIX):
                participant = participant_of(found)
                if participant.removed_at is None:
                    gathering.participants.append(participant)
                else:
                    gathering.removed[participant.identity] = participant
        gathering.participants.sort(key=lambda p: (p.role is not ParticipantRole.HOST, p.created_at, p.position))
        return gathering

    def people(
        self, account_id: str, session_id: str, identities: Sequence[str]
    ) -> tuple[Session | None, dict[str, Participant]]:
        """Read a session and some of its people, removed ones too, by identity, strongly consistently."""
        wanted = [keys.session(account_id, session_id)]
        wanted += [keys.participant(account_id, session_id, one) for one in dict.fromkeys(identities)]
        session: Session | None = None
        people: dict[str, Participant] = {}
        for found in self._table.read_together([(self._table, key, True) for key in wanted]):
            if found["sk"] == "session":
                session = session_of(found)
            else:
                participant = participant_of(found)
                people[participant.identity] = participant
        return session, people

    def id_of_external_id(self, account_id: str, external_id: str) -> str | None:
        """Return the session that a portal's own id leads to."""
        values = self._table.get(keys.session_external_id(account_id, external_id), consistent=True)
        return values["session_id"] if values else None

    def id_of_friendly_url(self, account_id: str, text: str) -> str | None:
        """Return the session that a friendly URL leads to."""
        values = self._table.get(keys.friendly_url(account_id, text), consistent=True)
        return values["session_id"] if values else None

    def id_of_participant(self, account_id: str, participant_id: str) -> str | None:
        """Return the session that a participant belongs to."""
        values = self._table.get(keys.participant_id(account_id, participant_id), consistent=True)
        return values["session_id"] if values else None

    def with_participant(self, account_id: str, participant_id: str) -> tuple[Session, Participant] | None:
        """Read a participant with the session, however many others it has: two calls, three items."""
        pointer = self._table.get(keys.participant_id(account_id, participant_id), consistent=True)
        if pointer is None:
            return None
        found = self.with_identity(account_id, pointer["session_id"], pointer["identity"])
        session, participant = found
        return (session, participant) if session and participant else None

    def with_identity(
        self, account_id: str, session_id: str, identity: str
    ) -> tuple[Session | None, Participant | None]:
        """Read a session and whoever takes part in it under an identity, in one call."""
        wanted = (keys.session(account_id, session_id), keys.participant(account_id, session_id, identity))
        found = {values["sk"]: values for values in self._table.read_together([(self._table, k, True) for k in wanted])}
        session = found.pop("session", None)
        participant = next(map(participant_of, found.values()), None)
        if participant is not None and participant.removed_at is not None:
            participant = None
        return session_of(session) if session else None, participant

    def creating(self, session: Session) -> list[Action]:
        """Return the actions that write a new session: itself, then one for each of `unique_names`."""
        own = self._table.put(session_item(session), IS_NEW)
        return [own, *(self._pointer_put(key, session) for key in _pointers(session))]

    def replacing(self, session: Session, *, before: Session) -> list[Action]:
        """Return the actions that write a changed session, in the order of `creating`."""
        own = self._table.put(session_item(session), UNCHANGED, {":seen": before.version})
        kept, left = _pointers(session), _pointers(before)
        if kept == left:
            return [own]
        return [
            own,
            *(self._pointer_put(key, session) for key in kept),
            *(self._table.delete(key) for key in left if key not in kept),
        ]

    def beginning_count(self, session: Session, people: int) -> Action:
        """Return the action that says how many take part in a new session."""
        key = keys.head_count(session.account_id, session.session_id)
        return self._table.put(key | pack({"people": people}))

    def counting(self, session: Session, change: int, *, known: int, most: int) -> Action:
        """Return the action that counts people in, as long as there is room, or out.

        Parameters
        ----------
        change
            How many come; negative when they go.
        known
            How many took part when the session was read: begins the count of one that has none yet.
        most
            How many there may be.
        """
        values = {":known": known, ":change": change}
        return self._table.change(
            keys.head_count(session.account_id, session.session_id),
            "SET people = if_not_exists(people, :known) + :change",
            _HAS_ROOM if change > 0 else None,
            values | ({":room": most - change} if change > 0 else {}),
        )

    def adding(self, session: Session, participant: Participant) -> list[Action]:
        """Return the actions that write a new participant: itself, then its id's pointer."""
        return [
            self._table.put(_participant_item(session, participant), _FREE_OR_LEFT),
            self._table.put(_participant_pointer(participant), IS_NEW),
        ]

    def rewriting(self, session: Session, participant: Participant, *, before: Participant) -> list[Action]:
        """Return the actions that write a changed participant, moved when its identity changed."""
        item = _participant_item(session, participant)
        if participant.identity == before.identity:
            return [self._table.put(item, UNCHANGED, {":seen": before.version})]
        old = keys.participant(before.account_id, before.session_id, before.identity)
        return [
            self._table.put(item, _FREE_OR_LEFT),
            self._table.delete(old, UNCHANGED, {":seen": before.version}),
            self._table.put(_participant_pointer(participant)),
        ]

    def removing(self, participant: Participant, left: Participant | None = None) -> list[Action]:
        """Return the actions that remove a participant.

        Parameters
        ----------
        left
            What stays of somebody who has to hear of it; None for nothing.
        """
        key = keys.participant(participant.account_id, participant.session_id, participant.identity)
        seen = {":seen": participant.version}
        own = (
            self._table.delete(key, UNCHANGED, seen)
            if left is None
            else self._table.put(_removed_item(left), UNCHANGED, seen)
        )
        ids = participant.account_id, participant.session_id, participant.participant_id
        return [
            own,
            self._table.delete(keys.participant_id(participant.account_id, participant.participant_id)),
            self._table.delete(keys.delivery(*ids)),
            self._table.delete(keys.reminder(*ids)),
        ]

    def forgetting(self, removed: Participant, left: Participant) -> Action:
        """Return the action that keeps less of somebody who was removed and has heard of it."""
        return self._table.put(_removed_item(left), UNCHANGED, {":seen": removed.version})

    def write(self, actions: Sequence[Action]) -> None:
        """Carry out actions together, see `vestibule.store.table.Table.write`."""
        self._table.write(*actions, rounds=_ROUNDS)

    def page(
        self, account_id: str, *, starting: range, after: str | None, limit: int
    ) -> tuple[list[Session], str | None]:
        """Return one page of an account's sessions in the order of their start.

        Parameters
        ----------
        starting
            Milliseconds since the epoch: the first start, and the one before which to stop.
        after
            Sort key of the previous page's last session.
        limit
            Sessions at most, 1 to 100.

        Returns
        -------
        tuple
            The sessions, and the sort key to go on after, None when nothing follows.
        """
        lists = [keys.sessions_list(account_id, shard) for shard in range(keys.LIST_SHARDS)]
        return self._merged(lists, starting, after, limit)

    def page_hosted_by(
        self, account_id: str, user_id: str, *, starting: range, after: str | None, limit: int
    ) -> tuple[list[Session], str | None]:
        """Return one page of the sessions that a user hosts; see `page`."""
        return self._merged([keys.sessions_hosted_by(account_id, user_id)], starting, after, limit)

    def page_with(
        self,
        account_id: str,
        *,
        user_ids: Sequence[str],
        email: str | None,
        starting: range,
        after: str | None,
        limit: int,
    ) -> tuple[list[Session], str | None]:
        """Return one page of the sessions that some users or an e-mail address take part in; see `page`."""
        people = [keys.sessions_of_user(account_id, user_id) for user_id in user_ids]
        people += [keys.sessions_of_email(account_id, email)] if email else []
        return self._merged(people, starting, after, limit, index=keys.FOUND)

    def if_taking_part(self, account_id: str, session_id: str, identity: str) -> Session | None:
        """Return a session in which somebody takes part, also one just made; None when there is none.

        One read, strongly consistent: the indexes may not know the session yet.
        """
        own = keys.session(account_id, session_id), keys.participant(account_id, session_id, identity)
        read = self._table.read_together([(self._table, key, True) for key in own])
        found = {values["sk"]: values for values in read}
        return session_of(found["session"]) if len(found) == len(own) else None

    def guests_hosted_by(
        self, account_id: str, user_id: str, sessions: Sequence[Session], *, limit: int
    ) -> dict[str, list[tuple[str, str]]]:
        """Return who else is in sessions that a user hosts, in the order in which they were added.

        Parameters
        ----------
        sessions
            Of that host, in the order of their start; when there are none, nothing is read.
        limit
            Index entries at most; later sessions may then lack people.

        Returns
        -------
        dict
            Session id -> session id and identity of each guest, which is what `participants` takes.
        """
        found: dict[str, list[tuple[str, str]]] = {session.session_id: [] for session in sessions}
        if not sessions:
            return found
        first, last = min(map(sort_key, sessions)), max(map(sort_key, sessions))
        entries = self._table.query(
            "list_key = :key AND list_sort BETWEEN :first AND :last",
            {":key": keys.guests_hosted_by(account_id, user_id), ":first": first, ":last": f"{last}~"},
            index=keys.LISTED,
            limit=limit,
        )
        for entry in entries:
            session_id = entry["pk"].rpartition("#")[2]
            if session_id in found:
                found[session_id].append((session_id, entry["sk"].removeprefix(keys.PARTICIPANT_PREFIX)))
        return found

    def participants(self, account_id: str, wanted: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Participant]:
        """Return up to 100 participants by session id and identity, in one read, without those that are gone."""
        if not wanted:
            return {}
        read = self._table.read_all([keys.participant(account_id, *one) for one in wanted])
        found = map(participant_of, read)
        return {(participant.session_id, participant.identity): participant for participant in found}

    def _merged(
        self, lists: Sequence[str], starting: range, after: str | None, limit: int, *, index: str = keys.LISTED
    ) -> tuple[list[Session], str | None]:
        """Merge several lists by their sort keys; each is read one entry further than needed."""
        hash_name, sort_name = ("list_key", "list_sort") if index == keys.LISTED else ("find_key", "find_sort")
        first = max(f"{starting.start:015d}", after or "")
        last = min(f"{starting.stop:015d}", _LAST)
        if first > last:
            return [], None
        condition = f"{hash_name} = :key AND {sort_name} BETWEEN :first AND :last"
        parts = []
        for key in lists:
            values = {":key": key, ":first": first, ":last": last}
            found = self._table.query(condition, values, index=index, limit=limit + 2)
            parts.append([entry for entry in found if entry[sort_name] != after])
        entries: list[dict[str, Any]] = []
        for entry in merge(*parts, key=lambda found: found[sort_name]):
            if not entries or entries[-1]["pk"] != entry["pk"]:
                entries.append(entry)
        page = list(islice(entries, limit))
        wanted = [pack({"pk": entry["pk"], "sk": "session"}) for entry in page]
        found_by = {values["pk"]: session_of(values) for values in self._table.read_all(wanted)}
        sessions = [found_by[entry["pk"]] for entry in page if entry["pk"] in found_by]
        return sessions, page[-1][sort_name] if len(entries) > limit else None

    def _pointer_put(self, key: Item, session: Session) -> Action:
        pointer = key | pack({"session_id": session.session_id})
        return self._table.put(pointer, _FREE_OR_OURS, {":session": session.session_id})


def session_of(values: Mapping[str, Any]) -> Session:
    """Return the session that an unpacked item holds."""
    former = values.get("former")
    return record_of(
        Session,
        {
            **values,
            "status": SessionStatus(values["status"]),
            "registration": Registration(**values.get("registration", {})),
            "former": Appointment(**former) if former else None,
            "event": event_of(values),
        },
    )


def participant_of(values: Mapping[str, Any]) -> Participant:
    """Return the participant that an unpacked item holds."""
    return record_of(
        Participant,
        {
            **values,
            "role": ParticipantRole(values["role"]),
            "notify": Channel(values.get("notify", Channel.NONE)),
            "rsvp": Rsvp(values.get("rsvp", Rsvp.PENDING)),
            "event": event_of(values),
        },
    )


def unique_names(session: Session) -> list[str]:
    """Return which of a session's fields are unique names and set, in writing order."""
    return [name for name in ("external_id", "friendly_url") if getattr(session, name) is not None]


def _pointers(session: Session) -> list[Item]:
    key_of = {"external_id": keys.session_external_id, "friendly_url": keys.friendly_url}
    return [key_of[name](session.account_id, getattr(session, name)) for name in unique_names(session)]


def sort_key(session: Session) -> str:
    """Return the sort key that a session has in every list: start, then id."""
    return f"{session.starts_at:015d}#{session.session_id}"


def session_item(session: Session) -> Item:
    """Return a session as it is stored, with its place in the account's list."""
    index = {
        "list_key": keys.sessions_list(session.account_id, keys.shard_of(session.session_id)),
        "list_sort": sort_key(session),
    }
    return keys.session(session.account_id, session.session_id) | pack(values_of(session) | index)


def _participant_pointer(participant: Participant) -> Item:
    leads_to = {"session_id": participant.session_id, "identity": participant.identity}
    return keys.participant_id(participant.account_id, participant.participant_id) | pack(leads_to)


def _participant_item(session: Session, participant: Participant) -> Item:
    index = {}
    if participant.role is ParticipantRole.HOST and participant.user_id is not None:
        index["list_key"] = keys.sessions_hosted_by(participant.account_id, participant.user_id)
        index["list_sort"] = sort_key(session)
    else:
        index["list_key"] = keys.guests_hosted_by(participant.account_id, session.host_user_id)
        index["list_sort"] = f"{sort_key(session)}#{participant.created_at:015d}#{participant.position:03d}"
    if participant.user_id is not None:
        index["find_key"] = keys.sessions_of_user(participant.account_id, participant.user_id)
        index["find_sort"] = sort_key(session)
    elif participant.email is not None:
        index["find_key"] = keys.sessions_of_email(participant.account_id, participant.email)
        index["find_sort"] = sort_key(session)
    key = keys.participant(participant.account_id, participant.session_id, participant.identity)
    return key | pack(values_of(participant) | index)


def _removed_item(left: Participant) -> Item:
    """Return what is left of a participant: on no list, found by nobody but the mail worker."""
    return keys.participant(left.account_id, left.session_id, left.identity) | pack(values_of(left))
