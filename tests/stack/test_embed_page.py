"""Frames, seats and the public registration page over HTTP, on the real template with IAM enforced."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support.crowd import at_once, start_gently

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.portal import Portal
    from tests.support.stack import Fresh
    from tools.local import Stack

AT_ONCE, THREADS = 20, 10
PATIENCE = 40.0  # seconds; most of it is for two cores that start a process
STAGE = {"kind": "url", "url": "https://stage.example/{session_id}#{grant}"}
ADA = {"user_id": "mrn-7", "user_name": "Ada Lovelace", "user_email": "ada@example.org"}
SCRIPT = {"Sec-Fetch-Site": "same-origin", "Accept": "application/json"}
FORM = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}


@pytest.fixture
def clinic(open_portal: Callable[..., Portal]) -> Portal:
    """An account that frames its sessions."""
    return open_portal(stage=STAGE, frame_ancestors=["http://portal.localhost:8000"])


def plan(portal: Portal, **fields: Any) -> dict[str, Any]:
    """Plan a session whose doors are open."""
    host = portal.create_user(full_name="Dr. Mia Lindqvist")
    starts_at = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    body = {"title": "Lecture", "host": {"user_id": host["id"]}, "starts_at": starts_at, **fields}
    made = portal.api.post("/v1/sessions", json=body)
    assert made.status_code == 201, made.text
    return dict(made.json())


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, page
    return unescape(found[1])


def embed_form(portal: Portal, session: dict[str, Any]) -> dict[str, str]:
    """Change a new token for the fields by which a frame goes in."""
    made = portal.api.post(f"/v1/sessions/{session['id']}/embeds", json=ADA)
    page = portal.hub.post(f"/embed/{session['id']}", data={"token": made.json()["token"]}, headers=FORM)
    assert page.status_code == 200, page.text
    fields = {name: field(page.text, name) for name in ("pass", "join")}
    portal.handed_out.note("embed pass", fields["pass"])
    return fields


def join(portal: Portal, path: str, fields: dict[str, str]) -> dict[str, Any]:
    answer = portal.hub.post(path, data=fields, headers=SCRIPT)
    assert answer.status_code == 200, answer.text
    found = dict(answer.json())
    portal.handed_out.note("seat", found.get("seat", "").rpartition(".")[2])
    return found


def beat(portal: Portal, seat: str) -> dict[str, Any]:
    answer = portal.hub.post("/seat", data={"seat": seat}, headers=SCRIPT)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.mark.req("E06", "E08", "E10")
def test_of_20_pages_that_join_at_once_one_sits_there_and_every_other_is_told(clinic: Portal) -> None:
    """By two entrances, half of them each: the frame's pass and the registrant's link of the same address.

    So many processes try at the same moment as two cores can serve within a function's time, each of them on the
    one item of the seat; 20 callers in one moment are the domain's (test_seats.py).
    """
    session = plan(clinic)
    body = {"name": "Ada Lovelace", "email": "ADA@example.org"}
    link = clinic.api.post(f"/v1/sessions/{session['id']}/registrants", json=body).json()["join_url"]
    ways = [(f"/embed/{session['id']}", embed_form(clinic, session)), (link, {"form_token": ""})]

    for path, _ in ways:
        start_gently(lambda _, path=path: clinic.hub.get(path), THREADS // 2)  # type: ignore[misc]
    joined = at_once(lambda number: join(clinic, *ways[number % 2]), range(AT_ONCE), threads=THREADS)

    heard = [beat(clinic, one["seat"]) for one in joined]
    assert sum(one["state"] == "seated" for one in heard) == 1
    told = [one for one in heard if one["state"] != "seated"]
    assert told == [{"state": "unseated", "reason": "joined_elsewhere"}] * (AT_ONCE - 1)
    visits = clinic.api.get(f"/v1/sessions/{session['id']}/attendance", params={"limit": 100}).json()["items"]
    assert len(visits) == AT_ONCE
    assert sum(visit["is_present"] for visit in visits) == 1
    assert {visit["entrance"] for visit in visits} == {"embed", "registrant"}


@pytest.mark.req("E06", "R03")
def test_a_reload_goes_on_by_every_entrance_and_leaving_makes_room(clinic: Portal) -> None:
    session = plan(clinic, participants=[{"full_name": "Ben Okafor"}], password="open sesame")
    guest = session["participants"][1]
    clinic.handed_out.note("personal link", guest["personal_link"].rpartition("/")[2])
    ways = [
        (f"/embed/{session['id']}", embed_form(clinic, session)),
        (guest["personal_link"], {"form_token": ""}),
        (guest["join_link"], {"form_token": ""}),
    ]
    for path, fields in ways:
        first = join(clinic, path, fields)
        again = join(clinic, path, {**fields, "held": first["seat"]})
        assert again["seat"] == first["seat"], path
        left = clinic.hub.post("/seat/leave", data={"seat": first["seat"]}, headers=SCRIPT)
        assert left.json() == {"state": "left"}
        assert beat(clinic, first["seat"]) == {"state": "unseated", "reason": "left"}


@pytest.mark.req("E08", "H01")
def test_the_accounts_list_is_in_the_answer_of_every_page_in_a_frame(clinic: Portal) -> None:
    session = plan(clinic)
    for path in (f"/embed/{session['id']}", "/r/1-2-3", "/p/1-2-3", f"/s/{session['id']}/left"):
        policy = clinic.hub.get(path).headers["content-security-policy"]
        assert "http://portal.localhost:8000" in policy.partition("frame-ancestors ")[2].partition(";")[0], path
    assert "frame-ancestors 'none'" in clinic.hub.get(f"/s/{session['id']}").headers["content-security-policy"]


# --- the public registration page ---


def register(portal: Portal, session: dict[str, Any], email: str) -> httpx.Response:
    path = f"/s/{session['id']}/register"
    page = portal.hub.get(path)
    fields = {"form_token": field(page.text, "form_token"), "name": "Grace Hopper", "email": email}
    return portal.hub.post(path, data=fields, headers=FORM)


@pytest.mark.req("E11", "S06", "R03")
def test_a_registration_is_confirmed_by_mail_and_its_link_shown_nowhere(clinic: Portal, stack: Stack) -> None:
    session = plan(clinic, registration={"public": True})
    address = f"grace-{session['id']}@example.org"

    answer = register(clinic, session, address)

    assert (answer.status_code, "look into your mail" in answer.text) == (200, True)
    (registrant,) = clinic.api.get(f"/v1/sessions/{session['id']}/registrants").json()["items"]
    clinic.handed_out.note("join url", registrant["join_url"].rpartition("/")[2])
    assert registrant["join_url"].rpartition("/")[2] not in answer.text
    mail = _mail_to(stack, address)
    assert mail["Subject"].startswith("Your registration: Lecture")
    assert registrant["join_url"] in json.dumps(mail)
    again = register(clinic, session, address.upper())
    assert (again.status_code, again.text) == (200, answer.text)


def _mail_to(stack: Stack, address: str) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE
    while True:
        boxes = httpx.get(f"{stack.emulator_url}/_ministack/ses/messages").json()["messages"]
        found = [mail for box in boxes.values() for mail in box if mail["To"] == [address]]
        if found:
            return dict(found[0])
        assert time.monotonic() < deadline, "no mail came"
        time.sleep(0.2)


@pytest.mark.req("E09", "E11", "R03")
def test_the_page_counts_those_from_before_a_limit_and_says_when_it_is_full(clinic: Portal, fresh: Fresh) -> None:
    session = plan(clinic, registration={"public": True})
    assert register(clinic, session, "a@example.org").status_code == 200
    change = {"registration": {"public": True, "capacity": 2}}
    assert clinic.api.patch(f"/v1/sessions/{session['id']}", json=change).status_code == 200
    fresh("RegistrationFunction")  # which may remember the session for five seconds
    statuses = [register(clinic, session, f"b{number}@example.org").status_code for number in range(2)]
    assert statuses == [200, 409]
