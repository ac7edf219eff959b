"""A letter as an appointment: iCalendar (RFC 5545) in a scheduling message (RFC 5546).

The only place that knows the ``icalendar`` package.  One session of an account is
one UID for ever, so that a calendar takes a change for a change and a cancellation
for the end of what it has.  The recipient is the only attendee: nobody is told who
else was invited.  Every line ends in CRLF and has at most 75 octets, none of them
the half of a character.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from icalendar import Alarm, Calendar, Event, Timezone, vCalAddress, vText

from vestibule.clock import SECOND
from vestibule.domain import moments, rules
from vestibule.domain.letters import LetterKind
from vestibule.mail import headers
from vestibule.mail.wording import wording_of

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from vestibule.domain.letters import Letter

REMINDED_BEFORE = timedelta(minutes=10)

_PRODUCT = "-//Vestibule//Invitations//EN"
_AROUND = timedelta(days=366)
"""How far before and after the session its zone's rules are told: the next and the last
change of the clocks lie within, and a calendar that moves the entry stays right."""
_METHODS = {
    LetterKind.INVITATION: "REQUEST",
    LetterKind.CHANGE: "REQUEST",
    LetterKind.CANCELLATION: "CANCEL",
}


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
    # In the session's zone, not in UTC: if the zone's rules change, the session's hour does not.
    in_zone = UTC if place.key in moments.UTC_NAMES else place
    event.add("dtstart", moments.local(session.starts_at, place).replace(tzinfo=in_zone))
    event.add("dtend", moments.local(session.ends_at, place).replace(tzinfo=in_zone))
    event.add("summary", rules.one_line(session.title))
    event.add("description", "\n".join(wording_of(letter).notes))
    event.add("status", "CANCELLED" if is_cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if is_cancelled else "OPAQUE")
    event.add("organizer", _person(letter.sender, letter.host_name or letter.account.name))
    event.add("attendee", _attendee(letter))
    if not is_cancelled:
        event.add("location", letter.personal_link)
        event.add("url", letter.personal_link)
        event.add_component(_alarm(letter))
    return event


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
    alarm.add("description", rules.one_line(letter.session.title))
    alarm.add("trigger", -REMINDED_BEFORE)
    return alarm


def _zone(letter: Letter, place: ZoneInfo) -> Timezone:
    """Return the rules of a zone around a session, as every calendar understands them."""
    first = moments.local(letter.session.starts_at, place).date() - _AROUND
    last = moments.local(letter.session.ends_at, place).date() + _AROUND
    zone = Timezone.from_tzinfo(place, place.key, first_date=max(first, date(1970, 1, 2)), last_date=last)
    zone.pop("COMMENT", None)  # the library's remark on the two dates
    return zone
