"""A letter as an appointment: read back as other programs read it, to the octet."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from icalendar import Calendar

from tests.support.letters import HUB, LINK, STARTS_AT, a_letter
from vestibule.clock import DAY, HOUR, MINUTE
from vestibule.domain import rules
from vestibule.domain.letters import LetterKind
from vestibule.domain.moments import UTC_NAMES
from vestibule.mail.calendar import calendar
from vestibule.model import SessionStatus

if TYPE_CHECKING:
    from vestibule.domain.letters import Letter

ZONES = (
    "Europe/Berlin",
    "Europe/Dublin",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Pacific/Apia",
    "UTC",
)
ALL_ZONES = sorted(available_timezones() - {"localtime", "Factory"})
WITH_AN_APPOINTMENT = (LetterKind.INVITATION, LetterKind.CHANGE, LetterKind.CANCELLATION)
MOMENTS = st.integers(946_684_800_000 // MINUTE, rules.LAST_MOMENT // MINUTE - 366 * 24 * 60).map(
    lambda minutes: minutes * MINUTE
)


def parsed(letter: Letter) -> Any:
    """Read a letter's calendar file."""
    return Calendar.from_ical(calendar(letter).decode())


def event_of(letter: Letter) -> Any:
    """Read the one appointment of a letter's calendar file."""
    (event,) = parsed(letter).walk("VEVENT")
    return event


def offset_at(definition: Any, wall: datetime) -> timedelta:
    """Give the offset that a VTIMEZONE says to hold at a wall time: that of the last change before it (RFC 5545)."""
    changes = [(part["DTSTART"].dt, part["TZOFFSETTO"].td) for part in definition.subcomponents]
    last: tuple[datetime, timedelta] = max(change for change in changes if change[0] <= wall)
    return last[1]


@pytest.mark.req("S05")
@pytest.mark.parametrize(
    ("kind", "method", "status"),
    [
        (LetterKind.INVITATION, "REQUEST", "CONFIRMED"),
        (LetterKind.CHANGE, "REQUEST", "CONFIRMED"),
        (LetterKind.CANCELLATION, "CANCEL", "CANCELLED"),
    ],
)
def test_an_appointment_is_asked_for_changed_and_cancelled_under_one_name(
    kind: LetterKind, method: str, status: str
) -> None:
    # given
    letter = a_letter(kind, sequence=7)

    # when
    whole, event = parsed(letter), event_of(letter)

    # then
    assert whole["METHOD"] == method
    assert whole["VERSION"] == "2.0"
    assert whole["PRODID"] == "-//Vestibule//Invitations//EN"
    assert event["UID"] == "481516234@lakeside.hub.vestibule.example"
    assert event["SEQUENCE"] == 7
    assert event["STATUS"] == status
    assert event["DTSTAMP"].dt == datetime(2026, 11, 18, 11, 6, 40, tzinfo=UTC)


@pytest.mark.req("S05")
def test_an_appointment_holds_the_way_in_and_rings_ten_minutes_before() -> None:
    # when
    event = event_of(a_letter(account={"require_passkey": True}))

    # then
    assert event["URL"] == event["LOCATION"] == LINK
    assert LINK in event["DESCRIPTION"].splitlines()[2]
    assert "Connect code: 123 456 789" in event["DESCRIPTION"]
    assert event["SUMMARY"] == "Follow-up: knee & shoulder"
    assert event["TRANSP"] == "OPAQUE"
    (alarm,) = event.walk("VALARM")
    assert (alarm["ACTION"], alarm["TRIGGER"].dt) == ("DISPLAY", timedelta(minutes=-10))


@pytest.mark.req("S05")
def test_a_cancellation_neither_rings_nor_leads_anywhere() -> None:
    # when
    event = event_of(a_letter(LetterKind.CANCELLATION))

    # then
    assert event.walk("VALARM") == []
    assert "URL" not in event
    assert "LOCATION" not in event
    assert "http" not in event["DESCRIPTION"]
    assert event["TRANSP"] == "TRANSPARENT"


@pytest.mark.req("S05")
@pytest.mark.parametrize("kind", WITH_AN_APPOINTMENT)
def test_the_recipient_alone_attends_and_the_sender_organizes(kind: LetterKind) -> None:
    # when
    event = event_of(a_letter(kind))

    # then
    attendee, organizer = event["ATTENDEE"], event["ORGANIZER"]
    assert attendee == "mailto:grace@lakeside.example"
    assert dict(attendee.params) == {
        "CN": "Grace Hopper",
        "CUTYPE": "INDIVIDUAL",
        "ROLE": "REQ-PARTICIPANT",
        "PARTSTAT": "NEEDS-ACTION",
        "RSVP": "TRUE",
    }
    assert (organizer, organizer.params["CN"]) == ("mailto:sessions@vestibule.example", "Maria Lindqvist")


def test_what_a_mailto_may_not_hold_is_escaped() -> None:
    event = event_of(a_letter(participant={"email": "a%b?c=d&e#f/g@lakeside.example"}))

    assert event["ATTENDEE"] == "mailto:a%25b%3Fc%3Dd%26e%23f%2Fg@lakeside.example"


def test_a_reminder_is_no_appointment() -> None:
    with pytest.raises(ValueError, match="no appointment"):
        calendar(a_letter(LetterKind.REMINDER))


@pytest.mark.req("S05")
def test_two_accounts_sessions_of_the_same_id_are_two_appointments() -> None:
    one = event_of(a_letter())
    other = event_of(a_letter(hub_url="https://hillside.hub.vestibule.example:8443"))

    assert one["UID"] != other["UID"] == "481516234@hillside.hub.vestibule.example"


# --- times -----------------------------------------------------------------------------------------------


@pytest.mark.req("S05", "S07")
@given(place=st.sampled_from(ZONES) | st.sampled_from(ALL_ZONES), starts_at=MOMENTS, minutes=st.integers(1, 3 * 1_440))
def test_start_and_end_are_right_by_the_rules_that_come_with_them(place: str, starts_at: int, minutes: int) -> None:
    # given
    letter = a_letter(session={"time_zone": place, "starts_at": starts_at, "duration_minutes": minutes})

    # when
    whole = parsed(letter)

    # then: what a program that knows no zone of the world makes of it is the moment itself
    (event,) = whole.walk("VEVENT")
    definitions = {one["TZID"]: one for one in whole.walk("VTIMEZONE")}
    assert set(definitions) == ({place} - UTC_NAMES)
    for name, moment in (("DTSTART", starts_at), ("DTEND", starts_at + minutes * MINUTE)):
        wall = event[name].dt.replace(tzinfo=None)
        zone = event[name].params.get("TZID")
        offset = offset_at(definitions[zone], wall) if zone else timedelta()
        assert wall - offset == datetime.fromtimestamp(moment // 1_000, UTC).replace(tzinfo=None)


@pytest.mark.req("S07")
def test_every_zone_of_the_world_makes_an_appointment() -> None:
    for place in ALL_ZONES:
        # when
        lines = calendar(a_letter(session={"time_zone": place})).decode().split("\r\n")

        # then
        here = datetime.fromtimestamp(STARTS_AT / 1_000, ZoneInfo(place))
        start = f"DTSTART:{here:%Y%m%dT%H%M%SZ}" if place in UTC_NAMES else f"DTSTART;TZID={place}:{here:%Y%m%dT%H%M%S}"
        assert start in lines


@pytest.mark.req("S07")
def test_the_hour_that_comes_twice_is_not_mistaken() -> None:
    # given: 02:30 CET, an hour after 02:30 CEST
    second = 1_792_891_800_000

    # when
    lines = calendar(a_letter(session={"starts_at": second})).split(b"\r\n")
    an_hour_earlier = calendar(a_letter(session={"starts_at": second - HOUR})).split(b"\r\n")

    # then
    assert b"DTSTART:20261025T013000Z" in lines
    assert b"DTSTART;TZID=Europe/Berlin:20261025T023000" in an_hour_earlier


@pytest.mark.req("S07")
def test_utc_needs_no_rules() -> None:
    # when
    lines = calendar(a_letter(session={"time_zone": "Etc/UTC"})).split(b"\r\n")

    # then
    assert b"DTSTART:20261124T140000Z" in lines
    assert b"DTEND:20261124T153000Z" in lines
    assert b"BEGIN:VTIMEZONE" not in lines


@pytest.mark.parametrize("starts_at", [0, HOUR, DAY, rules.LAST_MOMENT - 1])
def test_the_ends_of_time_are_no_exception(starts_at: int) -> None:
    event = event_of(a_letter(session={"starts_at": starts_at}))

    assert event["DTSTART"].dt.astimezone(UTC) == datetime.fromtimestamp(starts_at // 1_000, UTC)


# --- octets ----------------------------------------------------------------------------------------------


@pytest.mark.req("S05")
@given(title=st.text(max_size=300), person=st.text(max_size=200), host=st.text(max_size=200))
@example(title="\ufeff", person="\ufeffAda", host="")
def test_any_text_is_folded_at_75_octets_and_comes_back_whole(title: str, person: str, host: str) -> None:
    # given
    letter = a_letter(session={"title": title}, participant={"full_name": person}, host_name=host)

    # when
    octets = calendar(letter)

    # then
    lines = octets.split(b"\r\n")
    assert lines[-1] == b""
    assert all(len(line) <= 75 and b"\r" not in line and b"\n" not in line for line in lines)
    for line in lines:
        line.decode()  # no character is cut into two lines
    event: Any = Calendar.from_ical(octets.decode()).walk("VEVENT")[0]
    assert event["SUMMARY"] == rules.one_line(title)
    names = [name for line in lines[:-1] if not line.startswith(b" ") for name in [line.partition(b":")[0]]]
    assert names.count(b"BEGIN") == names.count(b"END")
    assert sum(name.startswith(b"ATTENDEE") for name in names) == 1
    assert set(event.keys()) <= KNOWN_PROPERTIES


KNOWN_PROPERTIES = {
    *("UID", "SEQUENCE", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "DESCRIPTION", "STATUS", "TRANSP"),
    *("ORGANIZER", "ATTENDEE", "LOCATION", "URL"),
}


@pytest.mark.parametrize(
    "text",
    [
        "Eve\r\nATTENDEE:mailto:eve@elsewhere.example",
        'Eve":mailto:eve@elsewhere.example\nX-Y="',
        "back\\slash; semicolon, comma: colon \\n \\N",
        'say "hello"; CN=x:y,z^n^^',
        "\u2028ATTENDEE:mailto:eve@elsewhere.example\u0085X:1",
        "ü" * 300,
        "👩‍👩‍👧‍👦" * 40,
        "half a character: \ud800",
    ],
)
@pytest.mark.req("S05")
def test_no_text_becomes_a_property(text: str) -> None:
    # when
    event = event_of(a_letter(session={"title": text}, participant={"full_name": text}, host_name=text))

    # then
    assert event["SUMMARY"] == rules.one_line(text)
    assert event["ATTENDEE"] == "mailto:grace@lakeside.example"
    assert event["ORGANIZER"] == "mailto:sessions@vestibule.example"
    assert set(event.keys()) <= KNOWN_PROPERTIES
    assert set(event["ATTENDEE"].params) == {"CN", "CUTYPE", "ROLE", "PARTSTAT", "RSVP"}
    assert set(event["ORGANIZER"].params) == {"CN"}


@pytest.mark.parametrize("kind", WITH_AN_APPOINTMENT)
def test_the_same_letter_is_the_same_file(kind: LetterKind) -> None:
    assert calendar(a_letter(kind)) == calendar(a_letter(kind))


def test_a_session_that_goes_on_without_somebody_is_cancelled_for_them() -> None:
    # given
    letter = a_letter(LetterKind.CANCELLATION)
    taken_out = replace(letter, session=replace(letter.session, status=SessionStatus.SCHEDULED))

    # then
    assert event_of(taken_out)["STATUS"] == "CANCELLED"
    assert HUB not in calendar(taken_out).decode()
