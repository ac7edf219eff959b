"""The ways into a session over HTTP, on the real template with IAM enforced: whole, and many at once."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from tests.support.crowd import at_once, start_gently
from vestibule.domain.guesses import CODES, SESSION_PASSWORDS, network_of
from vestibule.store.guesses import BlockedError

if TYPE_CHECKING:
    from collections.abc import Generator

    import httpx

    from tests.support.portal import HandedOut, Portal
    from tests.support.tables import Tables
    from tools.local import Stack
    from vestibule.wiring import House

AT_ONCE = 60
THREADS = 10
FEW = 4
SECRET = "a-stage-secret-of-more-than-32-characters"
OWN_FORM = {"Sec-Fetch-Site": "same-origin"}
SCRIPT = {**OWN_FORM, "Accept": "application/json"}
LOOPBACK = "127.0.0.1"
WRONG = 100_000_000
"""The lowest code: hardly any session of a test run has one of the sixty above it."""


def plan(portal: Portal, handed_out: HandedOut, *, minutes: float = 5, **fields: Any) -> dict[str, Any]:
    """Plan a session with a host and one guest that starts in some minutes; it opens ten before."""
    host = portal.create_user(full_name="Dr. Mia Lindqvist", email="mia@clinic.example")
    starts_at = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()
    body = {
        "title": "Consultation",
        "host": {"user_id": host["id"]},
        "starts_at": starts_at,
        "participants": [{"full_name": "Ben Okafor", "email": "ben@example.org"}],
        **fields,
    }
    answer = portal.api.post("/v1/sessions", json=body)
    assert answer.status_code == 201, answer.text
    session = dict(answer.json())
    for one in session["participants"]:
        handed_out.note("personal link", one["personal_link"].rpartition("/")[2])
        handed_out.note("passkey", one["passkey"] or "")
    return session


def with_stage(portal: Portal, **stage: Any) -> None:
    """Set the stage over the API: LiveKit's, unless another is given."""
    chosen = stage or {
        "kind": "livekit",
        "url": "https://meet.example/custom?liveKitUrl={server_url}&token={grant}",
        "server_url": "wss://live.example",
        "key_id": "APItest",
        "secret": SECRET,
    }
    answer = portal.api.patch("/v1/account", json={"stage": chosen})
    assert answer.status_code == 200, answer.text
    assert SECRET not in answer.text


def pass_of(answer: httpx.Response, handed_out: HandedOut) -> dict[str, str]:
    """Give the request header that carries the pass that an answer set."""
    line = next(one for one in answer.headers.get_list("set-cookie") if one.startswith("__Host-vestibule-pass-"))
    pair = line.partition(";")[0]
    handed_out.note("session pass", pair.partition("=")[2])
    return {"Cookie": pair}


@pytest.fixture
def unblocked(stack_house: House) -> Generator[None]:
    """Let this machine's wrong codes be nobody else's trouble."""
    stack_house.guesses.lift(CODES, network_of(LOOPBACK))
    yield
    stack_house.guesses.lift(CODES, network_of(LOOPBACK))


@pytest.mark.req("S04", "L04")
@pytest.mark.usefixtures("unblocked")
def test_sixty_wrong_codes_at_once_count_exactly_and_block(
    portal: Portal, handed_out: HandedOut, tables: Tables, stack_house: House
) -> None:
    # given
    session = plan(portal, handed_out)
    guest = session["participants"][1]
    assert portal.hub.get(guest["join_link"]).status_code == 200

    # when
    def guess(number: int) -> int:
        return portal.hub.get(f"/join/{WRONG + number}").status_code

    start_gently(lambda _: portal.hub.get("/join"), THREADS)
    answers = Counter(at_once(guess, range(AT_ONCE), threads=THREADS))

    # then
    assert answers == {404: 20, 429: 40}
    stored = [item for items in tables.dump().values() for item in items]
    counters = [item for item in stored if item["pk"].startswith("guesses#")]
    assert 20 in [counter["guesses"] for counter in counters]
    assert LOOPBACK not in str(counters)
    # and a right one is refused without saying so
    assert portal.hub.get(guest["join_link"]).status_code == 429
    assert portal.hub.get(guest["personal_link"]).status_code == 200
    # when: the operator lifts it
    assert stack_house.guesses.lift(CODES, network_of(LOOPBACK))
    # then
    assert portal.hub.get(guest["join_link"]).status_code == 200


@pytest.mark.req("S04")
@pytest.mark.usefixtures("unblocked")
def test_right_codes_at_once_are_all_let_in(portal: Portal, handed_out: HandedOut) -> None:
    guest = plan(portal, handed_out)["participants"][1]

    def come(_: int) -> int:
        return portal.hub.get(guest["join_link"]).status_code

    # few enough that those which are being judged at one moment never reach the limit
    assert Counter(at_once(come, range(AT_ONCE), threads=THREADS)) == {200: AT_ONCE}


@pytest.mark.req("S01", "L17")
def test_wrong_passwords_at_once_count_exactly(portal: Portal, handed_out: HandedOut, stack_house: House) -> None:
    session = plan(portal, handed_out, password="open sesame")

    def guess(number: int) -> int:
        form = {"name": "Ada", "password": f"guess {number}"}
        return portal.hub.post(f"/s/{session['id']}", data=form, headers=OWN_FORM).status_code

    # few at once: each takes its own 64 MB and, on a busy machine, its time
    answers = Counter(at_once(guess, range(2 * SESSION_PASSWORDS.most), threads=FEW))
    assert answers == {403: SESSION_PASSWORDS.most, 429: SESSION_PASSWORDS.most}


@pytest.mark.req("S02", "S03", "R03")
@pytest.mark.usefixtures("unblocked")
def test_every_way_in_leads_to_the_stage_and_back(portal: Portal, handed_out: HandedOut) -> None:
    # given
    with_stage(portal)
    session = plan(portal, handed_out, presenters=["BEN@example.org"], friendly_url="annual-review")
    guest = session["participants"][1]
    generic = f"/s/{session['id']}"
    ways = {guest["join_link"]: "Ben Okafor", guest["personal_link"]: "Ben Okafor"}
    for link, name in ways.items():
        # when
        page = portal.hub.get(link)
        started = portal.hub.post(link, headers=SCRIPT, data={"form_token": ""})
        # then
        assert name in page.text
        token = parse_qs(urlsplit(started.json()["url"]).query)["token"][0]
        handed_out.note("grant", token)
        claims = jwt.decode(token, SECRET, algorithms=["HS256"], options={"verify_nbf": False})
        assert (claims["name"], claims["attributes"], claims["iss"]) == (name, {"role": "presenter"}, "APItest")
        assert claims["exp"] - time.time() <= 300
        # and back, without a question
        again = portal.hub.get(generic, headers=pass_of(started, handed_out))
        assert name in again.text
    # the friendly link, a name, and in
    assert portal.hub.get(f"/go/{portal.account.slug}/annual-review").headers["location"] == generic
    named = portal.hub.post(generic, data={"name": "Ada"}, headers=OWN_FORM)
    assert (named.status_code, named.headers["location"]) == (303, generic)
    kept = pass_of(named, handed_out)
    assert portal.hub.post(generic, headers={**SCRIPT, **kept}).json()["url"].startswith("https://meet.example/")
    # somebody who is signed in
    cookie = portal.sign_in(session["host"]["user_id"] if "host" in session else None)
    assert portal.follow(generic, cookie=cookie).status_code == 200
    assert portal.hub.get("/check").status_code == 200


@pytest.mark.req("S02", "E01")
@pytest.mark.usefixtures("unblocked")
def test_our_own_grant_is_proved_by_the_published_keys(portal: Portal, handed_out: HandedOut, stack: Stack) -> None:
    with_stage(portal, kind="url", url="https://stage.example/{session_id}#{grant}")
    session = plan(portal, handed_out)
    guest = session["participants"][1]
    for link in (guest["join_link"], guest["personal_link"]):
        token = urlsplit(portal.hub.post(link, headers=SCRIPT).json()["url"]).fragment
        handed_out.note("grant", token)
        keys = portal.anonymous().get("/.well-known/jwks.json").json()
        key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(token)["kid"]]
        claims = jwt.decode(token, key, algorithms=["ES256"], issuer=stack.api_url, audience="https://stage.example")
        assert (claims["session_id"], claims["name"], claims["role"]) == (session["id"], "Ben Okafor", "attendee")
        assert claims["return_url"] == f"{portal.hub_url}/s/{session['id']}/left"
        # it opens nothing of ours
        assert portal.bearer(token).get("/v1/account").status_code == 401


@pytest.mark.req("S03")
@pytest.mark.usefixtures("unblocked")
def test_a_change_reaches_whoever_waits(portal: Portal, handed_out: HandedOut) -> None:
    session = plan(portal, handed_out, minutes=120)
    guest = session["participants"][1]
    assert "You are early" in portal.hub.get(guest["join_link"]).text
    state = f"/s/{session['id']}/state"
    before = portal.hub.get(state).json()
    assert (before["phase"], before["version"]) == ("upcoming", session["version"])
    moved = (datetime.now(UTC) + timedelta(minutes=9)).isoformat()
    portal.api.patch(f"/v1/sessions/{session['id']}", json={"starts_at": moved})
    assert portal.hub.get(state).json()["phase"] == "open"
    assert "You are early" not in portal.hub.get(guest["join_link"]).text
    portal.api.delete(f"/v1/sessions/{session['id']}")
    assert portal.hub.get(state).json()["phase"] == "cancelled"
    assert portal.hub.get(guest["join_link"]).status_code == 410


@pytest.mark.req("S02", "L14")
@pytest.mark.usefixtures("unblocked")
def test_what_was_rotated_or_removed_opens_nothing(portal: Portal, handed_out: HandedOut) -> None:
    session = plan(portal, handed_out)
    guest = session["participants"][1]
    path = f"/v1/sessions/{session['id']}/participants/{guest['id']}"
    rotated = portal.api.post(f"{path}/rotate", json={}).json()
    handed_out.note("personal link", rotated["personal_link"].rpartition("/")[2])
    assert portal.hub.get(guest["personal_link"]).status_code == 403
    assert portal.hub.get(guest["join_link"]).status_code == 404
    assert portal.hub.get(rotated["personal_link"]).status_code == 200
    portal.api.delete(path)
    assert portal.hub.get(rotated["personal_link"]).status_code == 403
    assert portal.hub.get(rotated["join_link"]).status_code == 404


@pytest.mark.req("L20", "P05")
@pytest.mark.usefixtures("unblocked")
def test_another_accounts_host_lets_nobody_in(portal: Portal, open_portal: Any, handed_out: HandedOut) -> None:
    session = plan(portal, handed_out)
    guest = session["participants"][1]
    other = open_portal()
    for link, status in ((guest["join_link"], 404), (guest["personal_link"], 403), (session["session_link"], 404)):
        assert other.hub.get(urlsplit(link).path).status_code == status


@pytest.mark.req("S04")
def test_the_operators_command_lifts_a_block(portal: Portal, stack_house: House) -> None:
    network = network_of("2001:db8:1:2:3::4")
    for _ in range(CODES.most):
        stack_house.guesses.count(CODES, network)
    with pytest.raises(BlockedError):
        stack_house.guesses.count(CODES, network)
    assert stack_house.guesses.lift(CODES, network_of("2001:db8:1:2:ffff::1"))
    stack_house.guesses.count(CODES, network)
    assert stack_house.guesses.lift(CODES, network)
