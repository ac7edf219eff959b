"""A letter as an appointment: iCalendar (RFC 5545) in a scheduling message (RFC 5546).

The only place that knows the ``icalendar`` package.  One session of an account is
one UID for ever, so that a calendar takes a change for a change and a cancellation
for the end of what it has.  The recipient is the only attendee: nobody is told who
else was invited.  Every line ends in CRLF and has at most 75 octets, none of them
the half of a character.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from icalendar import Alarm, Calendar, Event, Timezone, TimezoneDaylight, TimezoneStandard, vCalAddress, vText

from vestibule.clock import DAY, SECOND
from vestibule.domain import moments, rules
from vestibule.domain.letters import LetterKind
from vestibule.mail import headers
from vestibule.mail.wording import wording_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from vestibule.domain.letters import Letter

REMINDED_BEFORE = timedelta(minutes=10)

_PRODUCT = "-//Vestibule//Invitations//EN"
_AROUND = 366 * DAY
"""How far before and after the session its zone's rules are told: the next and the last
change of the clocks lie within, and a calendar that moves the entry stays right."""
_STEP = 7 * DAY // SECOND
"""Seconds; clocks are not changed and changed back within it."""
_METHODS = {
    LetterKind.INVITATION: "REQUEST",
    LetterKind.CHANGE: "REQUEST",
    LetterKind.REGISTRATION: "REQUEST",
    LetterKind.CANCELLATION: "CANCEL",
}


class _Text(vText):
    """A text that is written as it is: the library would take a backslash before an N for the end of a line."""

    def to_ical(self) -> bytes:
        """Return the text with its special characters escaped (RFC 5545, 3.3.11)."""
        escaped = str(self).replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")
        return escaped.encode()


def method_of(kind: LetterKind) -> str | None:
    """Return the iTIP method of a letter's appointment, None for a letter without one.

    A reminder has none.  It says nothing new, and what is in the calendar has the
    recipient's answer in it: another REQUEST may ask for it again, and a PUBLISH of the
    same UID may replace the entry by one that knows of no answer.
    """
    return _METHODS.get(kind)


def calendar(letter: Letter) -> bytes:
    """Return a letter's appointment as a calendar file.

    Raises
    ------
    ValueError
        The letter is a reminder; see `method_of`.
    UndeliverableError
        The recipient's address is none that mail can be sent to.
    """
    method = method_of(letter.kind)
    if method is None:
        raise ValueError("a reminder has no appointment of its own")
    whole = Calendar()
    whole.add("prodid", _PRODUCT)
    whole.add("version", "2.0")
    whole.add("calscale", "GREGORIAN")
    whole.add("method", method)
    place = moments.zone(letter.session.time_zone)
    if place.key not in moments.UTC_NAMES:
        whole.add_component(_zone(letter, place))
    whole.add_component(_event(letter, place, is_cancelled=method == "CANCEL"))
    lines: bytes = whole.to_ical()
    return lines


def _event(letter: Letter, place: ZoneInfo, *, is_cancelled: bool) -> Event:
    session = letter.session
    event = Event()
    event.add("uid", f"{session.session_id}@{urlsplit(letter.hub_url).hostname}")
    event.add("sequence", letter.sequence)
    event.add("dtstamp", datetime.fromtimestamp(letter.at // SECOND, UTC))
    _add_time(event, "dtstart", session.starts_at, place)
    _add_time(event, "dtend", session.ends_at, place)
    event.add("summary", _Text(rules.one_line(session.title)))
    event.add("description", _Text("\n".join(wording_of(letter).notes)))
    event.add("status", "CANCELLED" if is_cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if is_cancelled else "OPAQUE")
    event.add("organizer", _person(letter.sender, letter.host_name or letter.account.name))
    event.add("attendee", _attendee(letter))
    if not is_cancelled:
        event.add("location", letter.personal_link)
        event.add("url", letter.personal_link)
        event.add_component(_alarm(letter))
    return event


def _add_time(event: Event, name: str, moment: int, place: ZoneInfo) -> None:
    """Write a moment as the session's zone shows it, so that a calendar says the hour that was agreed upon.

    In UTC where the zone is UTC, and in the hour that comes a second time when the
    clocks go back: its wall time would mean the first one (RFC 5545, 3.3.5).
    """
    local = moments.local(moment, place)
    if local.fold or place.key in moments.UTC_NAMES:
        event.add(name, local.astimezone(UTC))
    else:
        # Named by us: by its offset alone the library takes many a zone for UTC.
        event.add(name, local.replace(tzinfo=None), parameters={"TZID": place.key})


def _attendee(letter: Letter) -> vCalAddress:
    attendee = _person(letter.participant.email or "", letter.participant.full_name)
    attendee.params["CUTYPE"] = vText("INDIVIDUAL")
    attendee.params["ROLE"] = vText("REQ-PARTICIPANT")
    attendee.params["PARTSTAT"] = vText("NEEDS-ACTION")
    attendee.params["RSVP"] = vText("TRUE")
    return attendee


def _person(email: str, name: str) -> vCalAddress:
    """Return a calendar user; what an address may hold and a ``mailto:`` may not is escaped (RFC 6068)."""
    person = vCalAddress(f"mailto:{quote(headers.address(email), safe='@!$*+')}")
    person.params["CN"] = vText(rules.one_line(name))
    return person


def _alarm(letter: Letter) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", _Text(rules.one_line(letter.session.title)))
    alarm.add("trigger", -REMINDED_BEFORE)
    return alarm


def _zone(letter: Letter, place: ZoneInfo) -> Timezone:
    """Return the rules of a zone around a session.

    Each change of the clocks is a component of its own with nothing but its start.  The
    shorter form, a list of dates in one component, is what `icalendar` would make of the
    zone, and some readers take in a part of the list only.
    """
    first = max(letter.session.starts_at - _AROUND, DAY) // SECOND
    last = (letter.session.ends_at + _AROUND) // SECOND
    zone = Timezone()
    zone.add("tzid", place.key)
    for onset in (first, *_changes(place, first, last)):
        zone.add_component(_observance(place, onset, is_first=onset == first))
    return zone


def _observance(place: ZoneInfo, onset: int, *, is_first: bool) -> TimezoneStandard | TimezoneDaylight:
    """Return what holds in a zone from a moment (seconds since the epoch) on."""
    now = datetime.fromtimestamp(onset, place)
    before = now if is_first else datetime.fromtimestamp(onset - 1, place)
    offset_before = before.utcoffset() or timedelta()
    observance = TimezoneDaylight() if now.dst() else TimezoneStandard()
    # What the clocks show at that moment, had they not been changed.
    observance.add("dtstart", datetime.fromtimestamp(onset, UTC).replace(tzinfo=None) + offset_before)
    observance.add("tzoffsetfrom", offset_before)
    observance.add("tzoffsetto", now.utcoffset() or timedelta())
    observance.add("tzname", now.tzname())
    return observance


def _changes(place: ZoneInfo, first: int, last: int) -> Iterator[int]:
    """Find the moments (seconds since the epoch) at which a zone's clocks are changed."""
    for start in range(first, last, _STEP):
        end = min(start + _STEP, last)
        old = _clock_at(place, start)
        if _clock_at(place, end) != old:
            yield start + bisect_left(range(start, end), 1, key=lambda moment: int(_clock_at(place, moment) != old))


def _clock_at(place: ZoneInfo, moment: int) -> tuple[timedelta | None, timedelta | None]:
    local = datetime.fromtimestamp(moment, place)
    return local.utcoffset(), local.dst()
