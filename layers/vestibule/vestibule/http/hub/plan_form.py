"""What a host types: read to the letter, judged, and shown again as it was typed.

A problem is a code at the id of its field (``""``: the whole form); the templates
say it in words.  What the domain refuses lands at the field that it is about, so
that the rules are the domain's alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, time
from functools import cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from vestibule.clock import HOUR
from vestibule.domain import moments, rules
from vestibule.domain.hosting import moment_at
from vestibule.domain.participants import Invitee
from vestibule.domain.rules import RuleError
from vestibule.domain.sessions import DEFAULT_MINUTES, LONGEST_MINUTES, PASSWORD_LENGTHS, TITLE_LENGTH
from vestibule.errors import BusyError, ConflictError, InvalidError, ReusedKeyError, UnavailableError
from vestibule.http.hub.desk import try_again
from vestibule.model import Channel, ParticipantRole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from vestibule.errors import VestibuleError
    from vestibule.http.hub.desk import Desk
    from vestibule.model import Participant, Session

    type Problems = dict[str, str]

ROLES = (
    ParticipantRole.ATTENDEE,
    ParticipantRole.PRESENTER,
    ParticipantRole.ORGANIZER,
    ParticipantRole.OBSERVER,
)
"""What a person can be invited as; there is one host."""
CHANNELS = (Channel.EMAIL, Channel.SMS, Channel.NONE)
"""How a person can hear of a session."""
ROWS_AT_FIRST = 3
ROWS_MORE = 5
ROWS_AT_MOST = 20
"""People on one form; more are added with the next one."""
LIMITS = {
    "title": TITLE_LENGTH,
    "minutes": LONGEST_MINUTES,
    "password": PASSWORD_LENGTHS,
    "name": rules.NAME_LENGTH,
    "phone": rules.PHONE_LENGTH,
}
"""What the fields tell the browser, which then says so before anything is sent."""
WHOLE = ""
"""The id of a problem that is no single field's."""
TYPED_BEFORE = {WHOLE: "typed_before"}
"""What is said of a form whose sign-in had ended when it was sent."""

REFUSED = (InvalidError, ReusedKeyError, UnavailableError, ConflictError)
"""What may come of a form that was sent, and leads back to it."""

_UNPROCESSABLE = 422
_CLOCK = re.compile(r"[0-9]{2}:[0-9]{2}(?::[0-9]{2})?")
_LONGEST = 1_000
"""Characters that are read of a field: more than any rule allows, and little enough to be shown again."""
_REGIONS = frozenset(
    "Africa America Antarctica Arctic Asia Atlantic Australia Europe Indian Pacific".split()  # noqa: SIM905
)
_FIELD_OF = {
    "title": "title",
    "starts_at": "day",
    "duration_minutes": "minutes",
    "time_zone": "zone",
    "password": "password",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionForm:
    """A session as it was typed.

    Attributes
    ----------
    day, clock
        ``2027-01-31`` and ``09:30``, as the browsers' own fields send them, on the clocks of ``zone``.
    drops_password
        Whether the session's password is to go.
    """

    title: str = ""
    day: str = ""
    clock: str = ""
    minutes: str = str(DEFAULT_MINUTES)
    zone: str = "UTC"
    password: str = ""
    drops_password: bool = False

    @classmethod
    def fresh(cls, zone: str | None, now: int) -> SessionForm:
        """Return the form before anything was typed: at the next full hour of the zone's clocks."""
        known = moments.zone(zone)
        day, clock = _typed(now + HOUR, known)
        return cls(day=day, clock=f"{clock[:2]}:00", zone=known.key)

    @classmethod
    def shown(cls, session: Session) -> SessionForm:
        """Return the form as it stands when a session is about to be changed."""
        day, clock = _typed(session.starts_at, moments.zone(session.time_zone))
        minutes = str(session.duration_minutes)
        return cls(title=session.title, day=day, clock=clock, minutes=minutes, zone=session.time_zone)

    @classmethod
    def read(cls, form: Mapping[str, str]) -> SessionForm:
        """Return what was sent."""

        def typed(name: str) -> str:
            return form.get(name, "")[:_LONGEST]

        return cls(
            title=typed("title"),
            day=typed("day").strip(),
            clock=typed("clock").strip(),
            minutes=typed("minutes").strip(),
            zone=typed("zone"),
            password=typed("password"),
            drops_password="drops_password" in form,
        )

    def fields(self, shown: SessionForm | None = None) -> tuple[dict[str, Any], Problems]:
        """Return a session's fields as the domain takes them, and what cannot be one.

        Parameters
        ----------
        shown
            The session as it is: only what differs from it is returned.  A time that
            was not touched stays what it is, to the millisecond.
        """
        problems: Problems = {}
        found: dict[str, Any] = {}
        if shown is None or self.title != shown.title:
            found["title"] = _ruled(problems, "title", lambda text: rules.text(text, most=TITLE_LENGTH), self.title)
        if shown is None or (self.day, self.clock, self.zone) != (shown.day, shown.clock, shown.zone):
            found |= self._when(problems)
        if shown is None or self.minutes != shown.minutes:
            found["duration_minutes"] = _whole_number(problems, "minutes", self.minutes)
        if self.drops_password:
            found["password"] = None
        elif self.password:
            found["password"] = self.password
        return found, problems

    def _when(self, problems: Problems) -> dict[str, Any]:
        day = _parsed(problems, "day", date.fromisoformat, self.day)
        clock = _parsed(problems, "clock", _clock_time, self.clock)
        zone = _ruled(problems, "zone", rules.time_zone, self.zone)
        if day is None or clock is None or "zone" in problems:
            return {}
        moment = moment_at(day, clock, ZoneInfo(zone))
        if moment is None:
            problems["clock"] = "no_such_time"
            return {}
        return {"starts_at": moment, "time_zone": zone}


@dataclass(frozen=True, slots=True)
class Row:
    """One person as typed."""

    name: str = ""
    email: str = ""
    role: str = ParticipantRole.ATTENDEE.value

    @property
    def is_blank(self) -> bool:
        """Whether nobody was typed here."""
        return not self.name.strip() and not self.email.strip()


@dataclass(frozen=True, slots=True)
class PeopleForm:
    """Whom to invite, one person a row.

    Attributes
    ----------
    mails
        Whether everybody with an e-mail address is invited by mail.
    grown_from
        How many rows there were before more were asked for; None when they were not.
    """

    rows: tuple[Row, ...] = (Row(),) * ROWS_AT_FIRST
    mails: bool = True
    grown_from: int | None = None

    @classmethod
    def read(cls, form: Mapping[str, str]) -> PeopleForm:
        """Return what was sent, with more rows if that is what was asked for."""
        text = form.get("rows", "")
        count = min(int(text), ROWS_AT_MOST) if text.isascii() and text.isdigit() and len(text) <= 3 else ROWS_AT_FIRST  # noqa: PLR2004
        rows = tuple(
            Row(
                form.get(f"name-{number}", "")[:_LONGEST],
                form.get(f"email-{number}", "")[:_LONGEST],
                form.get(f"role-{number}", "")[:_LONGEST],
            )
            for number in range(1, count + 1)
        )
        people = cls(rows, "mails" in form)
        if "more" not in form:
            return people
        return replace(people, rows=(*rows, *(Row(),) * ROWS_MORE)[:ROWS_AT_MOST], grown_from=count)

    @property
    def may_grow(self) -> bool:
        """Whether there can be more rows."""
        return len(self.rows) < ROWS_AT_MOST

    @property
    def is_anybody(self) -> bool:
        """Whether there is somebody to invite."""
        return bool(self._filled())

    def problems(self, known: Iterable[tuple[str, str | None]]) -> Problems:
        """Return what is wrong with the rows.

        Parameters
        ----------
        known
            Name and address of those who take part already.  The domain has the last
            word; here the row is known that it is about.
        """
        problems: Problems = {}
        seen = {_who(name, email) for name, email in known}
        for number, row in self._filled():
            name = _ruled(problems, f"name-{number}", rules.name, row.name)
            email = _ruled(problems, f"email-{number}", rules.email, row.email.strip()) if row.email.strip() else None
            if row.role not in ROLES:
                problems[f"role-{number}"] = "invalid"
            who = _who(name, email)
            if who in seen:
                problems.setdefault(f"email-{number}" if email else f"name-{number}", "takes_part")
            seen.add(who)
        return problems

    def invitees(self) -> list[Invitee]:
        """Return the people as the domain takes them; there must be no problem with them."""
        return [
            Invitee(
                full_name=row.name,
                email=row.email.strip() or None,
                role=ParticipantRole(row.role),
                notify=Channel.EMAIL if self.mails and row.email.strip() else Channel.NONE,
            )
            for _, row in self._filled()
        ]

    def place(self, position: int) -> int:
        """Return the number of the row that an invitee stood in."""
        return self._filled()[position][0]

    def _filled(self) -> list[tuple[int, Row]]:
        return [(number, row) for number, row in enumerate(self.rows, 1) if not row.is_blank]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonForm:
    """Somebody who takes part, as typed.

    Attributes
    ----------
    notify
        How they hear of the session: a `Channel`'s value.
    """

    name: str = ""
    email: str = ""
    phone: str = ""
    role: str = ParticipantRole.ATTENDEE.value
    notify: str = Channel.NONE.value

    @classmethod
    def shown(cls, participant: Participant) -> PersonForm:
        """Return the form as it stands when somebody is about to be changed."""
        return cls(
            name=participant.full_name,
            email=participant.email or "",
            phone=participant.phone or "",
            role=participant.role.value,
            notify=participant.notify.value,
        )

    @classmethod
    def read(cls, form: Mapping[str, str], shown: PersonForm) -> PersonForm:
        """Return what was sent; a host's form has no role."""

        def typed(name: str) -> str:
            return form.get(name, "")[:_LONGEST]

        return cls(
            name=typed("name"),
            email=typed("email").strip(),
            phone=typed("phone").strip(),
            role=form.get("role", shown.role)[:_LONGEST],
            notify=typed("notify"),
        )

    def fields(self, shown: PersonForm) -> tuple[dict[str, Any], Problems]:
        """Return a participant's fields as the domain takes them where they differ from what is, and what cannot be."""
        problems: Problems = {}
        found: dict[str, Any] = {}
        if self.name != shown.name:
            found["full_name"] = self.name
        if self.email != shown.email:
            found["email"] = self.email or None
        if self.phone != shown.phone:
            found["phone"] = self.phone or None
        if self.role != shown.role:
            found["role"] = _parsed(problems, "role", ParticipantRole, self.role)
        if self.notify != shown.notify:
            found["notify"] = _parsed(problems, "notify", Channel, self.notify)
        return found, problems


def problems_of_person(error: InvalidError) -> Problems:
    """Return what the domain refuses about one participant, at the fields that it is about."""
    names = {"full_name": "name"}
    return {names.get(one.field, one.field): one.code for one in reversed(error.errors)}


def problems_of(error: InvalidError, people: PeopleForm) -> Problems:
    """Return what the domain refuses, at the fields that it is about."""
    problems: Problems = {}
    for one in error.errors:
        head, _, rest = one.field.partition(".")
        field = _FIELD_OF.get(head, WHOLE)
        if head == "participants":
            position, _, member = rest.partition(".")
            kind = "email" if member == "email" else "name"
            field = f"{kind}-{people.place(int(position))}"
        problems.setdefault(field, one.code)
    return problems


def refusal(
    desk: Desk, error: VestibuleError, people: PeopleForm, known: Iterable[tuple[str, str | None]] = ()
) -> dict[str, Any]:
    """Return what a page needs to show a form again that was refused by one of `REFUSED`.

    Parameters
    ----------
    known
        See `PeopleForm.problems`: by it the row is found whose person takes part already.
    """
    match error:
        case InvalidError():
            return {"problems": problems_of(error, people), "status": _UNPROCESSABLE}
        case ReusedKeyError():
            # Sent, changed and sent again, with the browser's way back in between: done once more only on purpose.
            return {"problems": {WHOLE: "sent_before"}, "form_key": desk.new_key(), "status": _UNPROCESSABLE}
        case BusyError() | UnavailableError():
            return {"problems": {WHOLE: "unsure"}, **try_again(error)}
        case _:
            return {"problems": people.problems(known) or {WHOLE: error.code}, "status": _UNPROCESSABLE}


def taking_part(participants: Iterable[Participant]) -> list[tuple[str, str | None]]:
    """Return name and address of those whom a row of the form could mean once more.

    A registered user without an address is known by an id, which nobody types.
    """
    return [(one.full_name, one.email) for one in participants if one.email or one.user_id is None]


def zones(chosen: str) -> tuple[str, ...]:
    """Return the zones that a list offers: those named by a place, UTC, and the chosen one if it is a zone."""
    offered = _zones()
    return offered if chosen in offered or chosen not in rules.time_zones() else (chosen, *offered)


@cache
def _zones() -> tuple[str, ...]:
    return ("UTC", *sorted(name for name in rules.time_zones() if name.partition("/")[0] in _REGIONS))


def _typed(moment: int, zone: ZoneInfo) -> tuple[str, str]:
    """Return day and time of a moment (milliseconds since the epoch) as the form's fields hold them."""
    local = moments.local(moment, zone)
    return f"{local:%Y-%m-%d}", f"{local:%H:%M}"


def _clock_time(text: str) -> time:
    """Return a time of day; browsers send seconds only where a form had some."""
    if not _CLOCK.fullmatch(text):
        raise ValueError(text)
    return time.fromisoformat(text)


def _who(name: str, email: str | None) -> str:
    """Return what two people have in common who are one."""
    return email.strip().casefold() if email else f"name {name.strip().casefold()}"


def _ruled(problems: Problems, field: str, rule: Callable[[str], str], value: str) -> str:
    try:
        return rule(value)
    except RuleError as error:
        problems[field] = error.code
        return value


def _parsed[V](problems: Problems, field: str, parse: Callable[[str], V], value: str) -> V | None:
    try:
        return parse(value)
    except ValueError:
        problems[field] = "invalid"
        return None


def _whole_number(problems: Problems, field: str, value: str) -> int:
    if value.isascii() and value.isdigit() and len(value) < len(str(10**9)):
        return int(value)
    problems[field] = "invalid"
    return 0
