"""A person's sessions as their dashboard shows them: today's and coming ones, by day.

Only what a person hosts or takes part in under their own id is theirs.  An e-mail
address makes nobody a participant here: several people may share one, and one
must not read another's appointments.  Who else takes part is told to the host
alone; everybody else sees whose session it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from vestibule.clock import HOUR
from vestibule.domain import moments
from vestibule.domain.participants import identity_of_user
from vestibule.domain.phases import CLOSED, phase_of
from vestibule.domain.sessions import FOREVER
from vestibule.ids import is_object_id
from vestibule.store.directory.sessions import sort_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from zoneinfo import ZoneInfo

    from vestibule.clock import Clock
    from vestibule.domain.phases import Phase
    from vestibule.model import Session, User
    from vestibule.store.directory.sessions import SessionStore

SHOWN_AT_ONCE = 30
"""Sessions on one page."""
NAMES_SHOWN = 3
"""Participants that are named with each session: of a page's all, and one session more, they fit into one read."""
LOOK_BACK = 49 * HOUR
"""A session that began this long ago is looked at: a day of 25 hours, and before it one for those that last past
midnight.  One that has been going on for longer is found by its id."""

_READ_AT_ONCE = 60
"""Sessions read for one page: also those of yesterday, most of which are not shown."""
_PEOPLE_READ = 300
"""Index entries of participants that are read for one page."""
_PAGE_MARK = re.compile(r"[0-9]{15}-[0-9]{8,10}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One session of a person.

    Attributes
    ----------
    is_host
        Whether the person hosts it.
    host_name
        Who does, if it is somebody else.
    people
        Names of some who take part beside the host; told to the host alone.
    more
        How many others take part.
    """

    session: Session
    phase: Phase
    is_host: bool
    host_name: str | None = None
    people: tuple[str, ...] = ()
    more: int = 0

    @property
    def is_joinable(self) -> bool:
        """Whether the session's page has something to wait for or to join."""
        return self.phase not in CLOSED


@dataclass(frozen=True, slots=True)
class Day:
    """The sessions of one day of the person's calendar.

    Attributes
    ----------
    distance
        Days from today: 0 today, 1 tomorrow, -1 yesterday.
    """

    date: date
    distance: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Agenda:
    """One page of a person's sessions.

    Attributes
    ----------
    zone
        The zone whose days these are.
    named
        The session that was asked for, wherever it is; None when it is not the person's.
    apart
        The day of that session, when it is not among ``days``.
    following
        Mark of the next page, None on the last one.
    """

    zone: ZoneInfo
    days: tuple[Day, ...]
    named: Entry | None = None
    apart: Day | None = None
    following: str | None = None


class Agendas:
    """Reads people's agendas."""

    def __init__(self, store: SessionStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def of(self, user: User, *, named: str | None = None, page: str | None = None) -> Agenda:
        """Return a page of a user's agenda.

        Two queries, a third one when the session that was asked for is on another page, and further ones
        for somebody of whose last two days nothing but `_READ_AT_ONCE` sessions or more is left that are over.

        Parameters
        ----------
        named
            Id of the session that was asked for.
        page
            Mark of the page, as the one before gave it; anything else is the first page.
        """
        now = self._clock()
        zone, due, has_rest = self._due(user, _after(page), now)
        today = _date(now, zone)
        shown = due[:SHOWN_AT_ONCE]
        is_apart = named is not None and all(session.session_id != named for session in shown)
        extra = self._own(user, named) if is_apart and named else None
        entries = self._entries(user, shown, [extra] if extra else [], now)
        listed = [entries[session.session_id] for session in shown]
        last = shown[-1] if shown and (len(due) > len(shown) or has_rest) else None
        return Agenda(
            zone=zone,
            days=_days(listed, zone, today),
            named=entries.get(named or ""),
            apart=_days([entries[extra.session_id]], zone, today)[0] if extra else None,
            following=sort_key(last).replace("#", "-") if last else None,
        )

    def one(self, user: User, session_id: str) -> Agenda:
        """Return an agenda with nothing in it but one session, if it is the user's."""
        now = self._clock()
        session = self._own(user, session_id)
        zone = _zone(user, [session] if session else [])
        entries = self._entries(user, [], [session] if session else [], now)
        days = _days(list(entries.values()), zone, _date(now, zone))
        return Agenda(zone=zone, days=(), named=entries.get(session_id), apart=days[0] if days else None)

    def _due(self, user: User, after: str | None, now: int) -> tuple[ZoneInfo, list[Session], bool]:
        """Return the zone of a user's days, their next sessions, and whether there are more.

        Parameters
        ----------
        after
            Sort key of the session that the page before ended with.  The first page leaves out what is over
            and not of today, however many sessions that are: it reads on until one is left.
        """
        is_first = after is None
        while True:
            found, after = self._store.page_with(
                user.account_id,
                user_ids=[user.user_id],
                email=None,
                starting=range(max(0, now - LOOK_BACK) if is_first else FOREVER.start, FOREVER.stop),
                after=after,
                limit=_READ_AT_ONCE,
            )
            found.sort(key=sort_key)
            zone = _zone(user, [session for session in found if session.ends_at > now])
            today = _date(now, zone)
            due = [s for s in found if not is_first or s.ends_at > now or _date(s.starts_at, zone) >= today]
            if due or after is None:
                return zone, due, after is not None

    def _own(self, user: User, session_id: str) -> Session | None:
        """Return a session if the user hosts it or takes part."""
        if not is_object_id(session_id):
            return None
        return self._store.if_taking_part(user.account_id, session_id, identity_of_user(user.user_id))

    def _entries(self, user: User, page: Sequence[Session], apart: Sequence[Session], now: int) -> Mapping[str, Entry]:
        """Return the entries of a page's sessions, and of one apart from them, by their ids."""
        guests = self._guests(user, page) | self._guests(user, apart)
        sessions = [*page, *apart]
        wanted = [guest for of_session in guests.values() for guest in of_session[:NAMES_SHOWN]]
        wanted += [_host_of(session) for session in sessions if session.session_id not in guests]
        people = self._store.participants(user.account_id, wanted)
        found = {}
        for session in sessions:
            known = guests.get(session.session_id)
            host = None if known is not None else people.get(_host_of(session))
            named = [people[guest].full_name for guest in (known or ())[:NAMES_SHOWN] if guest in people]
            found[session.session_id] = Entry(
                session,
                phase_of(session, now),
                is_host=known is not None,
                host_name=host.full_name if host else None,
                people=tuple(named),
                more=max(0, len(known or ()) - NAMES_SHOWN),
            )
        return found

    def _guests(self, user: User, sessions: Sequence[Session]) -> dict[str, list[tuple[str, str]]]:
        """Return who takes part in those sessions that the user hosts."""
        hosted = [session for session in sessions if session.host_user_id == user.user_id]
        return self._store.guests_hosted_by(user.account_id, user.user_id, hosted, limit=_PEOPLE_READ)


def _host_of(session: Session) -> tuple[str, str]:
    return session.session_id, identity_of_user(session.host_user_id)


def _after(page: str | None) -> str | None:
    return page.replace("-", "#") if page and _PAGE_MARK.fullmatch(page) else None


def _zone(user: User, sessions: Sequence[Session]) -> ZoneInfo:
    """Return the zone of a person's days: their own, else that of their next session, else UTC."""
    return moments.zone(user.time_zone, *(session.time_zone for session in sessions[:1]))


def _date(moment: int, zone: ZoneInfo) -> date:
    return moments.local(moment, zone).date()


def _days(entries: Sequence[Entry], zone: ZoneInfo, today: date) -> tuple[Day, ...]:
    grouped = groupby(entries, key=lambda entry: _date(entry.session.starts_at, zone))
    return tuple(Day(day, (day - today).days, tuple(of_day)) for day, of_day in grouped)
