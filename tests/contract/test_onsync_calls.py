"""OnSync's calls, to the byte, over HTTP: what real clients send, and what they look for in the answers.

What the vendor does not say is our choice, and is marked [ours].
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from xml.dom.minidom import parseString

import pytest

from tests.support.onsync import FORM, OnSync, raw
from tests.support.proxy import calls_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.support.portal import Portal
    from tests.support.proxy import AwsProxy

pytestmark = pytest.mark.req("D03")

XML, JSON = "application/xml; charset=utf-8", "application/json; charset=utf-8"
START = "2199-06-01 09:30:00"
TOPIC: dict[str, Any] = {"topic": "Café & <Bar> 🙂", "duration": "60", "start_time": START, "timezone": "UTC"}
ANNA: dict[str, Any] = {"email": "anna@x.example", "first_name": "Anna", "last_name": "Moderator", "role": 1}
BEN: dict[str, Any] = {"email": "ben@x.example", "first_name": "Ben", "last_name": "Participant", "role": "2"}
OLGA = {"email": "olga@x.example", "first_name": " ", "last_name": " ", "role": 3}
PEOPLE = [{**one, "send_email_invitation": send} for one, send in ((BEN, 0), (OLGA, "false"), (ANNA, False))]


@pytest.fixture(scope="module")
def clinic(open_portal: Callable[..., Portal]) -> Portal:
    """An account for all tests that change nothing about it and look at nothing but what they made."""
    return open_portal()


@pytest.fixture(scope="module")
def api(clinic: Portal) -> OnSync:
    """The API of that account."""
    return OnSync.of(clinic)


def added(api: OnSync, **parameters: Any) -> int:
    """Add a session; give its id."""
    answer = api.call("PUT", "/session", **{**TOPIC, **parameters})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def shown(api: OnSync, session_id: int) -> dict[str, Any]:
    answer = api.call("GET", f"/session/id/{session_id}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def invitees(api: OnSync, session_id: int) -> dict[str, list[dict[str, Any]]]:
    answer = api.call("GET", f"/invitees/id/{session_id}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def participant(portal: Portal, session_id: int, **named: str) -> dict[str, Any]:
    """Give a session's one participant with some member's value."""
    people = portal.api.get(f"/v1/sessions/{session_id}").json()["participants"]
    (found,) = [one for one in people if named.items() <= one.items()]
    return dict(found)


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Give status and words of a refusal in JSON."""
    assert answer.headers["content-type"] == JSON
    assert list(answer.json()) == ["status", "error"]
    assert answer.json()["status"] is False
    return answer.status_code, answer.json()["error"]


# --- credentials and formats ------------------------------------------------------------------------------


def test_credentials_are_verified(clinic: Portal, api: OnSync) -> None:
    """The path names the account by its slug, or by the client itself, as a client with one setting does."""
    by_client = OnSync(clinic.api, clinic.client_id)

    assert api.request("GET", "/authverify").text == "<xml><status>1</status></xml>"
    assert by_client.call("GET", "/authverify").text == '{"status": true}'
    assert by_client.call("GET", "/AuthVerify", 2).status_code == 200
    assert by_client.call("GET", "//authverify").status_code == 200  # a base address with a slash at its end


def test_without_good_credentials_nothing_is_said(portal: Portal, clinic: Portal) -> None:
    """Nor with those of another account, nor where there is no such method."""
    slug = portal.account.slug
    strangers = [
        OnSync(portal.anonymous(), slug),
        OnSync(portal.basic(portal.client_id, "wrong"), slug),
        OnSync(portal.basic(slug, portal.client_secret), slug),
        OnSync(clinic.api, slug),
    ]
    for stranger in strangers:
        for method, path in (("GET", "/authverify"), ("PUT", "/session"), ("DELETE", "/session/id/5")):
            answer = stranger.request(method, path)
            assert answer.status_code == 401
            assert answer.text == "<xml><status>0</status><error>Not authorized</error></xml>"
            assert answer.headers["www-authenticate"] == 'Basic realm="OnSync"'
        assert stranger.call("GET", "/authverify").text == '{"status": false, "error": "Not authorized"}'


def test_a_client_that_knows_a_host_alone(clinic: Portal) -> None:
    """At the root of the dialect's own host."""
    host = clinic.api.base_url.replace("://api.", "://onsync.")

    answer = clinic.api.get(f"{host}/api/1/{clinic.account.slug}/authverify")

    assert (answer.status_code, answer.text) == (200, "<xml><status>1</status></xml>")


@pytest.mark.parametrize(
    ("path", "accept", "content_type"),
    [
        ("", None, XML),
        ("", "*/*", XML),
        ("", "text/html, application/xml", XML),
        ("", "application/json", JSON),
        ("", "application/json, text/javascript, */*; q=0.01", JSON),
        ("/format/json", None, JSON),
        ("/FORMAT/JSON", "application/xml", JSON),
        ("/format/xml", "application/json", XML),
        ("?format=json", None, JSON),
    ],
)
def test_xml_is_the_default_and_json_is_asked_for(
    api: OnSync, path: str, accept: str | None, content_type: str
) -> None:
    headers = {"Accept": accept} if accept else {}

    answers = [api.request("GET", f"{name}{path}", headers=headers) for name in ("/authverify", "/nothing")]

    assert [answer.headers["content-type"] for answer in answers] == [content_type] * 2


# --- sessions ---------------------------------------------------------------------------------------------


def test_a_session_is_added_with_these_bytes(api: OnSync) -> None:
    as_xml = api.request("PUT", "/session", content=raw(TOPIC), headers=FORM)
    as_json = api.request("PUT", "/session/format/json", content=raw(TOPIC), headers=FORM)

    assert (as_xml.status_code, as_json.status_code) == (201, 201)
    assert re.fullmatch(r"<xml><id>\d{8,10}</id><message>Session added</message></xml>", as_xml.text)
    assert re.fullmatch(r'\{"id": \d{8,10}, "message": "Session added"\}', as_json.text)


BODIES: dict[str, dict[str, Any]] = {
    "form header": {"content": raw(TOPIC), "headers": FORM},
    "html header": {"content": raw(TOPIC), "headers": {"Content-Type": "text/html"}},
    "json header": {"content": raw(TOPIC), "headers": {"Content-Type": "application/json"}},
    "no header": {"content": raw(TOPIC)},
    "data first": {"content": b"rest_data=" + json.dumps(TOPIC).encode() + b"&input_type=json", "headers": FORM},
    "encoded": {"data": {"input_type": "json", "rest_data": json.dumps(TOPIC)}},
    "form": {"data": TOPIC},
    "form as json": {"content": urlencode(TOPIC).encode(), "headers": {"Content-Type": "application/json"}},
    "json": {"json": TOPIC},
    "byte order mark": {"content": b"\xef\xbb\xbf" + raw(TOPIC)},
    "blanks around": {"content": b"\r\n " + raw(TOPIC) + b"\r\n", "headers": FORM},
    "escapes": {"content": b"rest_data=" + json.dumps(TOPIC).encode(), "headers": FORM},
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_the_body_is_looked_at_and_not_the_header(api: OnSync, body: dict[str, Any]) -> None:
    answer = api.request("PUT", "/session", **body)

    assert answer.status_code == 201, answer.text
    session_id = int(re.findall(r"\d{8,10}", answer.text)[0])
    session = shown(api, session_id)
    assert (session["topic"], session["duration"], session["start_time"]) == (TOPIC["topic"], 60, START)


def test_a_session_shows_these_members(api: OnSync, clinic: Portal) -> None:
    """The members but session_link, and their order, are [ours]."""
    session_id = added(api, friendly_url="annual-review")

    as_json = api.request("GET", f"/session/id/{session_id}/format/json")
    as_xml = api.request("GET", f"/session/id/{session_id}")

    assert as_json.text == (
        f'{{"id": {session_id}, "topic": "Café & <Bar> 🙂", "start_time": "{START}", "timezone": "UTC", '
        f'"duration": 60, "friendly_url": "annual-review", "session_link": "{clinic.hub_url}/s/{session_id}"}}'
    )
    assert as_xml.text == (
        f"<xml><id>{session_id}</id><topic>Café &amp; &lt;Bar&gt; 🙂</topic><start_time>{START}</start_time>"
        f"<timezone>UTC</timezone><duration>60</duration><friendly_url>annual-review</friendly_url>"
        f"<session_link>{clinic.hub_url}/s/{session_id}</session_link></xml>"
    )
    assert parseString(as_xml.content)  # noqa: S318 - our own answer
    native = clinic.api.get(f"/v1/sessions/{session_id}").json()
    assert native["friendly_link"] == f"{clinic.hub_url}/go/{clinic.account.slug}/annual-review"


@pytest.mark.parametrize(
    "find", [("/session/id/{}", {}), ("/session/ID/{}/", {}), ("/session?id={}", {}), ("/user_session/id/{}", {})]
)
def test_parameters_may_be_words_of_the_path(api: OnSync, find: tuple[str, dict[str, Any]]) -> None:
    session_id = added(api)

    answer = api.request("GET", find[0].format(session_id), version=2)

    assert f"<id>{session_id}</id>" in answer.text


@pytest.mark.parametrize(
    ("code", "utc", "back"),
    [
        ("UTC", "09:30", "UTC"), ("UP1", "08:30", "UP1"), ("um5", "14:30", "UM5"), ("UP14", "19:30", "UP14"),
        ("UM12", "21:30", "UM12"), ("UP55", "04:00", "UP55"), ("UP575", "03:45", "UP575"), ("UM95", "19:00", "UM95"),
        ("UP875", "00:45", "UP875"), ("UP65", "03:00", "UP65"), ("UP95", "00:00", "UP95"),
        ("UTC+2", "07:30", "UP2"), ("UTC-03:30", "13:00", None), ("+0000", "09:30", "UTC"), ("-0430", "14:00", None),
        (7200, "07:30", "UP2"), ("-16200", "14:00", None), ("3600", "08:30", "UP1"), ("-3600", "10:30", "UM1"),
        ("Europe/Berlin", "07:30", "UP2"),
    ],
)  # fmt: skip
@pytest.mark.req("S07")
def test_time_zones_in_every_spelling(api: OnSync, clinic: Portal, code: str | int, utc: str, back: str | None) -> None:
    """A code is a distance, all year round; where no zone has it the session is shown in UTC. [ours]."""
    session_id = added(api, timezone=code)

    starts_at = clinic.api.get(f"/v1/sessions/{session_id}").json()["starts_at"]
    session = shown(api, session_id)

    assert starts_at[11:16] == utc
    if back is not None:
        assert (session["start_time"], session["timezone"]) == (START, back)


@pytest.mark.req("S07")
def test_a_session_that_begins_now_has_a_zone_too(api: OnSync) -> None:
    """Also without a start_time."""
    zones = [shown(api, added(api, start_time=None, timezone=code))["timezone"] for code in ("UP2", "um5")]

    assert zones == ["UP2", "UM5"]
    assert api.call("PUT", "/session", topic="Now", timezone="nowhere").status_code == 400


@pytest.mark.parametrize("code", ["UP15", "nowhere", "UTC+25", "99999", "+9999", "UTC+", "1.5"])
def test_a_time_zone_that_there_is_not(api: OnSync, code: str) -> None:
    said = "timezone: must be a code such as UP1, a distance such as UTC+2 or +0530, or a number of seconds."

    assert refused(api.call("PUT", "/session", **{**TOPIC, "timezone": code})) == (400, said)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"topic": ""}, (400, "topic: is required.")),
        ({"topic": None}, (400, "topic: is required.")),
        ({"start_time": "tomorrow"}, (400, "start_time: must be a time such as 2027-01-31 09:00:00.")),
        ({"start_time": "2016-01-01 09:00:00"}, (400, "start_time: must not lie in the past.")),
        ({"start_time": "0001-01-01 00:00:00"}, (400, "start_time: must be a time between 1970 and 2200.")),
        ({"duration": 525_601}, (400, "duration: must be 1 to 525600 minutes.")),
        ({"duration": "long"}, (400, "duration must be a whole number.")),
        ({"duration": 1.5}, (400, "duration must be a whole number.")),
        ({"topic": ["x"]}, (400, "topic must be a text.")),
        ({"password": "abc"}, (400, "password: must have 4 to 128 characters.")),
        ({"invited_participants": 5}, (400, "invited_participants must be a list of objects.")),
        ({"invited_participants": [{"first_name": "A"}]}, (400, "email: is required.")),
        ({"invited_participants": [{**ANNA, "role": 4}]}, (400, "role: must be 1, 2 or 3.")),
        (
            {"invited_participants": [{**ANNA, "email": "x"}]},
            (400, "invited_participants[0].email: must be an e-mail address."),
        ),
        (
            {"invited_participants": [{**ANNA, "send_email_invitation": "maybe"}]},
            (400, "send_email_invitation must be true or false."),
        ),
    ],
)
def test_a_session_that_cannot_be_added(api: OnSync, changes: dict[str, Any], said: tuple[int, str]) -> None:
    assert refused(api.call("PUT", "/session", **{**TOPIC, **changes})) == said


def test_a_friendly_url_is_given_once(api: OnSync) -> None:
    added(api, friendly_url="once")

    answer = api.call("PUT", "/session", **{**TOPIC, "friendly_url": "once"})

    assert refused(answer) == (409, "Another session of the account has this friendly_url.")


def test_a_year_is_not_too_long_and_a_password_is_taken(api: OnSync, clinic: Portal) -> None:
    session_id = added(api, duration=525_600, password="open sesame")
    clinic.handed_out.note("session password", "open sesame")

    native = clinic.api.get(f"/v1/sessions/{session_id}").json()

    assert (native["duration_minutes"], native["has_password"]) == (525_600, True)


def test_the_accounts_own_user_hosts_its_sessions(portal: Portal) -> None:
    """[ours]: made with the first session, found by its external_id; a client's user_id changes nothing."""
    api = OnSync.of(portal)
    first, second = added(api), added(api, user_id=12345)

    (host,) = portal.api.get("/v1/users", params={"external_id": "onsync"}).json()["items"]
    hosts = [portal.api.get(f"/v1/sessions/{one}").json()["host"] for one in (first, second)]

    assert host["full_name"] == portal.account.name
    assert hosts == [{"user_id": host["id"]}] * 2


def test_a_session_is_changed_in_what_is_given(api: OnSync) -> None:
    session_id = added(api, timezone="UP2", friendly_url="x", invited_participants=PEOPLE)
    before = shown(api, session_id)

    answer = api.call("POST", "/session", id=session_id, topic="New topic")

    assert (answer.status_code, answer.text) == (200, f'{{"id": {session_id}, "message": "Session updated"}}')
    assert shown(api, session_id) == {**before, "topic": "New topic"}
    api.call("POST", "/session", id=str(session_id), duration=90, start_time="2199-06-02 10:00:00", friendly_url="")
    changed = {"duration": 90, "start_time": "2199-06-02 10:00:00", "friendly_url": ""}
    assert shown(api, session_id) == {**before, "topic": "New topic", **changed}
    assert len(invitees(api, session_id)["participants"]) == 1


def test_a_change_whose_people_cannot_be_invited_changes_nothing(api: OnSync) -> None:
    session_id = added(api, invited_participants=PEOPLE)
    before = shown(api, session_id), invitees(api, session_id)

    for people in (
        [{**ANNA, "role": 4}], [{"first_name": "Nobody"}], "everybody", [BEN, {**ANNA, "email": "nobody"}],
        [BEN, {**ANNA, "first_name": "x" * 201}],
    ):  # fmt: skip
        answer = api.call("POST", "/session", id=session_id, topic="New topic", invited_participants=people)
        assert answer.status_code == 400, answer.text

    assert (shown(api, session_id), invitees(api, session_id)) == before


@pytest.mark.req("S07")
def test_what_was_shown_may_come_back(api: OnSync, clinic: Portal) -> None:
    """The whole object changes nothing, also of a session that was planned elsewhere and has begun."""
    user = clinic.create_user()
    native = clinic.api.post(
        "/v1/sessions",
        json={"title": "Native", "host": {"user_id": user["id"]}, "time_zone": "Europe/Berlin"},
    ).json()
    whole = shown(api, native["id"])

    answer = api.call("POST", "/session", **whole)

    assert answer.status_code == 200, answer.text
    after = clinic.api.get(f"/v1/sessions/{native['id']}").json()
    assert {**after, "version": 0, "updated_at": 0} == {
        **native, "version": 0, "updated_at": 0
    }  # fmt: skip


def test_a_session_is_deleted_by_a_body(api: OnSync) -> None:
    """That deleting twice is no error is [ours]: a client that repeats a lost answer's call is told the same."""
    session_id = added(api, invited_participants=PEOPLE)

    answers = [api.call("DELETE", "/session", id=one) for one in (session_id, str(session_id))]

    assert [(one.status_code, one.text) for one in answers] == [(200, '{"message": "Session was deleted"}')] * 2
    for path in ("session", "invitees"):
        assert refused(api.call("GET", f"/{path}/id/{session_id}")) == (404, "Session not found.")
    assert refused(api.call("POST", "/session", id=session_id, topic="x")) == (404, "Session not found.")


def test_the_words_in_xml(api: OnSync) -> None:
    session_id = added(api)
    body: dict[str, Any] = {"content": raw({"id": session_id}), "headers": {"Content-Type": "text/html"}}

    answers = [api.request(method, "/session", **body) for method in ("POST", "DELETE")]

    assert [answer.text for answer in answers] == [
        f"<xml><id>{session_id}</id><message>Session updated</message></xml>",
        "<xml><message>Session was deleted</message></xml>",
    ]


@pytest.mark.req("P05")
def test_an_unknown_session_is_not_found(api: OnSync, portal: Portal) -> None:
    foreign = added(OnSync.of(portal))
    for session_id in ("5", "10000001", "x" * 2_000, foreign):
        for method, path in (("GET", "/session"), ("POST", "/session"), ("DELETE", "/session"), ("GET", "/invitees")):
            answer = api.call(method, path, id=session_id)
            assert refused(answer) == (404, "Session not found."), (method, path)
        answer = api.call("PUT", "/invitee", session_id=session_id, **ANNA)
        assert refused(answer) == (404, "Session not found.")
    assert refused(api.call("GET", "/session")) == (400, "id: is required.")


# --- invitees ---------------------------------------------------------------------------------------------


@pytest.mark.req("S02")
def test_invitees_are_grouped_by_role_in_this_order(api: OnSync, clinic: Portal) -> None:
    """One client looks for `<email>...</personal_session_link>` by a pattern: the address stands before the link."""
    session_id = added(api, invited_participants=PEOPLE)

    as_xml = api.request("GET", f"/invitees/id/{session_id}")
    groups = invitees(api, session_id)

    assert list(groups) == ["moderators", "participants", "observers"]
    people = [one for group in groups.values() for one in group]
    assert [one["email"] for one in people] == ["anna@x.example", "ben@x.example", "olga@x.example"]
    assert [one["role"] for one in people] == [1, 2, 3]
    anna = groups["moderators"][0]
    assert as_xml.text.startswith(
        "<xml><moderators><item><email>anna@x.example</email><first_name>Anna</first_name>"
        f"<last_name>Moderator</last_name><role>1</role><user_id>{anna['user_id']}</user_id>"
        f"<personal_session_link>{anna['personal_session_link']}</personal_session_link></item></moderators>"
        "<participants><item><email>ben@x.example</email>"
    )
    found = re.findall(r"<email>([^<]*)</email>.*?<personal_session_link>([^<]*)</personal_session_link>", as_xml.text)
    assert found == [(one["email"], one["personal_session_link"]) for one in people]
    for one in people:
        assert re.fullmatch(re.escape(clinic.hub_url) + r"/p/[\w-]+", one["personal_session_link"])
        clinic.handed_out.note("personal link", one["personal_session_link"].rpartition("/")[2])
    assert len({one["personal_session_link"] for one in people}) == 3


def test_groups_without_people(api: OnSync) -> None:
    """The host, whom nobody invited, is in none."""
    session_id = added(api)

    assert api.request("GET", f"/invitees/id/{session_id}").text == (
        "<xml><moderators/><participants/><observers/></xml>"
    )
    assert (
        api.call("GET", f"/invitees/id/{session_id}").text == '{"moderators": [], "participants": [], "observers": []}'
    )


def test_who_is_mailed_is_said_person_by_person(api: OnSync, clinic: Portal) -> None:
    people = [
        {**ANNA, "send_email_invitation": "true"},
        {**BEN, "send_email_invitation": 0},
        {**OLGA, "send_email_invitation": 1},
        {"email": "silent@x.example", "first_name": "Si", "last_name": "Lent", "role": 2},
    ]
    session_id = added(api, invited_participants=people)

    native = clinic.api.get(f"/v1/sessions/{session_id}").json()["participants"]

    assert {one["email"]: one["notify"] for one in native[1:]} == {
        "anna@x.example": "email", "ben@x.example": "none", "olga@x.example": "email", "silent@x.example": "none",
    }  # fmt: skip
    assert {one["email"]: one["role"] for one in native[1:]} == {
        "anna@x.example": "organizer", "ben@x.example": "attendee",
        "olga@x.example": "observer", "silent@x.example": "attendee",
    }  # fmt: skip
    assert native[0]["notify"] == "none"


def test_a_list_replaces_the_one_before(api: OnSync, clinic: Portal) -> None:
    """Who stays, by e-mail address, keeps id and link and gets no second mail: portals store the links."""
    mailed = {**ANNA, "send_email_invitation": True}
    session_id = added(api, invited_participants=[mailed, *PEOPLE[:2]])
    anna, ben, _ = [one for group in invitees(api, session_id).values() for one in group]
    before = participant(clinic, session_id, email="anna@x.example")

    answer = api.call(
        "POST",
        "/session",
        id=session_id,
        invited_participants={
            "0": {**mailed, "email": "ANNA@x.example"},
            "1": {**BEN, "role": 1, "last_name": "Moderator", "send_email_invitation": False},
            "2": {"email": "new@x.example", "first_name": "New", "last_name": "One", "role": 3},
        },
    )

    assert answer.text == f'{{"id": {session_id}, "message": "Session updated"}}'
    groups = invitees(api, session_id)
    names = [[one["email"].lower() for one in group] for group in groups.values()]
    assert names == [["anna@x.example", "ben@x.example"], [], ["new@x.example"]]
    kept = {one["email"].lower(): (one["user_id"], one["personal_session_link"]) for one in groups["moderators"]}
    assert kept == {one["email"]: (one["user_id"], one["personal_session_link"]) for one in (anna, ben)}
    assert groups["moderators"][1]["last_name"] == "Moderator"
    after = participant(clinic, session_id, id=before["id"])
    assert after["notify"] == "email"
    for nothing in (None, ""):
        api.call("POST", "/session", id=session_id, invited_participants=nothing)
        assert invitees(api, session_id) == groups
    api.call("POST", "/session", id=session_id, invited_participants=[])
    assert not any(invitees(api, session_id).values())


def test_more_people_than_one_transaction_takes(api: OnSync) -> None:
    people = [{**BEN, "email": f"p{number}@x.example"} for number in range(130)]

    session_id = added(api, invited_participants=people)

    assert [one["email"] for one in invitees(api, session_id)["participants"]] == [one["email"] for one in people]
    more = [*people[10:], *({**BEN, "email": f"q{number}@x.example"} for number in range(5))]
    assert api.call("POST", "/session", id=session_id, invited_participants=more).status_code == 200
    assert len(invitees(api, session_id)["participants"]) == 125


def test_people_in_the_fields_of_a_form(api: OnSync) -> None:
    """As PHP writes a list of people."""
    form = {
        **TOPIC,
        "invited_participants[0][email]": "anna@x.example",
        "invited_participants[0][first_name]": "Anna",
        "invited_participants[0][role]": "1",
        "invited_participants[1][email]": "ben@x.example",
        "invited_participants[1][send_email_invitation]": "0",
    }

    answer = api.request("PUT", "/session/format/json", data=form)

    groups = invitees(api, answer.json()["id"])
    assert [len(group) for group in groups.values()] == [1, 1, 0]
    assert groups["participants"][0]["first_name"] == "ben"


def test_invitees_one_by_one(api: OnSync) -> None:
    """The messages are [ours]."""
    session_id = added(api)

    put = api.call("PUT", "/invitee", session_id=session_id, **ANNA)
    invitee = put.json()["id"]
    post = api.call("POST", "/invitee", session_id=session_id, user_id=invitee, role=3)
    (observer,) = invitees(api, session_id)["observers"]
    delete = api.call("DELETE", "/invitee", session_id=session_id, user_id=str(invitee))

    assert [(one.status_code, one.text) for one in (put, post, delete)] == [
        (200, f'{{"id": {invitee}, "message": "Invitee added"}}'),
        (200, f'{{"id": {invitee}, "message": "Invitee updated"}}'),
        (200, '{"message": "Invitee was deleted"}'),
    ]
    assert (observer["user_id"], observer["email"], observer["first_name"]) == (invitee, "anna@x.example", "Anna")
    assert not any(invitees(api, session_id).values())
    again = api.call("DELETE", "/invitee", session_id=session_id, user_id=invitee)
    assert refused(again) == (404, "Invitee not found.")


def test_invitees_one_by_one_in_xml(api: OnSync) -> None:
    """The messages are [ours], as in JSON."""
    session_id = added(api)

    def send(method: str, **parameters: Any) -> tuple[int, str]:
        body = raw({"session_id": session_id, **parameters})
        answer = api.request(method, "/invitee", content=body, headers={"Content-Type": "text/html"})
        assert answer.headers["content-type"] == XML
        return answer.status_code, answer.text

    put = send("PUT", **ANNA)
    (invitee,) = (one["user_id"] for one in invitees(api, session_id)["moderators"])
    taken = send("PUT", **{**ANNA, "last_name": "<Again> & again"})
    post, delete, again = send("POST", user_id=invitee, role=3), *(send("DELETE", user_id=invitee) for _ in range(2))

    assert [put, post, delete] == [
        (200, f"<xml><id>{invitee}</id><message>Invitee added</message></xml>"),
        (200, f"<xml><id>{invitee}</id><message>Invitee updated</message></xml>"),
        (200, "<xml><message>Invitee was deleted</message></xml>"),
    ]
    said = "Anna &lt;Again&gt; &amp; again takes part in the session already."
    assert taken == (409, f"<xml><status>0</status><error>{said}</error></xml>")
    assert again == (404, "<xml><status>0</status><error>Invitee not found.</error></xml>")


def test_what_invitees_showed_may_come_back(api: OnSync) -> None:
    """Whole, one by one or as the session's list: nothing changes, and nobody has another link."""
    session_id = added(api, invited_participants=PEOPLE)
    before = invitees(api, session_id)
    whole = [one for group in before.values() for one in group]

    answers = [api.call("POST", "/invitee", session_id=session_id, **one) for one in whole]
    answers.append(api.call("POST", "/session", id=session_id, invited_participants=whole))

    assert [answer.status_code for answer in answers] == [200] * 4
    assert invitees(api, session_id) == before


def test_an_invitee_who_cannot_be_added(api: OnSync) -> None:
    """Said of the parameter; a place in a list that nobody sent would mislead."""
    session_id = added(api, invited_participants=[ANNA])
    wrong = {"email": "nobody", "first_name": "No", "last_name": "Body"}

    answers = [
        api.call("PUT", "/invitee", session_id=session_id, **wrong),
        api.call("PUT", "/user_invitee", 2, session_id=session_id, **wrong),
        api.call("POST", "/session", id=session_id, invited_participants=[ANNA, wrong]),
    ]

    assert [refused(answer) for answer in answers] == [(400, "email: must be an e-mail address.")] * 3


def test_nobody_is_invited_twice(api: OnSync) -> None:
    session_id = added(api, invited_participants=[ANNA])

    answer = api.call("PUT", "/invitee", session_id=session_id, **ANNA)

    assert refused(answer) == (409, "Anna Moderator takes part in the session already.")


# --- version 2 --------------------------------------------------------------------------------------------


def test_version_two(api: OnSync, clinic: Portal) -> None:
    """user_session and user_invitee; the answer holds the invitee's id and link on top."""
    user = api.call("PUT", "/user", 2, email="owner@x.example", first_name="Olive", last_name="Owner")
    assert user.status_code == 201
    assert re.fullmatch(r'\{"id": \d+, "message": "User added"\}', user.text)
    session = api.call("PUT", "/user_session", 2, user_id=user.json()["id"], **TOPIC)
    assert session.status_code == 201
    session_id = session.json()["id"]
    assert session.text == f'{{"id": {session_id}, "message": "Session added"}}'
    changed = api.call("POST", "/user_session", 2, id=session_id, topic="Second")
    assert changed.text == f'{{"id": {session_id}, "message": "Session updated"}}'
    assert api.call("GET", f"/user_session/id/{session_id}", 2).json()["topic"] == "Second"

    anna: dict[str, Any] = {"session_id": session_id, **ANNA, "send_email_invitation": False}
    put = api.call("PUT", "/user_invitee", 2, **anna)
    assert put.status_code == 200
    assert list(put.json()) == ["id", "personal_session_link"]
    assert put.json()["personal_session_link"].startswith(f"{clinic.hub_url}/p/{session_id}-")
    assert api.call("PUT", "/user_invitee", 2, **anna).json() == put.json()
    as_xml = api.request("PUT", "/user_invitee", version=2, content=raw(anna), headers=FORM)
    link = put.json()["personal_session_link"]
    assert as_xml.text == f"<xml><id>{put.json()['id']}</id><personal_session_link>{link}</personal_session_link></xml>"
    moved = api.call("POST", "/user_invitee", 2, **{**anna, "role": 3})
    assert moved.json() == put.json()
    assert [one["email"] for one in invitees(api, session_id)["observers"]] == ["anna@x.example"]
    # a user_id is the customer's own in version 2, and names no invitee
    moved = api.call("POST", "/user_invitee", 2, **{**anna, "role": 1, "user_id": user.json()["id"]})
    assert moved.json() == put.json()
    assert [one["email"] for one in invitees(api, session_id)["moderators"]] == ["anna@x.example"]
    gone = api.call("DELETE", "/user_invitee", 2, session_id=session_id, email="anna@x.example", user_id=5)
    assert (gone.status_code, gone.json()) == (200, put.json())
    again = api.call("DELETE", "/user_invitee", 2, session_id=session_id, email="anna@x.example")
    assert refused(again) == (404, "Invitee not found.")

    deleted = api.call("DELETE", "/session", 2, id=session_id)
    assert deleted.text == '{"message": "Session was deleted"}'


@pytest.mark.parametrize(
    ("method", "path", "version"),
    [
        ("GET", "/recordings", 2), ("GET", "/recordings/id/5", 2), ("GET", "/user_session/id/5", 1),
        ("PUT", "/user", 1), ("GET", "/sessions", 1), ("PATCH", "/session", 1), ("GET", "/invitee", 1),
        ("PUT", "/session", 3), ("GET", "/users", 1),
    ],
)  # fmt: skip
def test_other_methods_are_none(api: OnSync, method: str, path: str, version: int) -> None:
    answer = api.request(method, f"{path}/format/json", version=version)

    assert answer.text == '{"status": false, "error": "Unknown method."}'
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/user/id/5"), ("POST", "/user"), ("DELETE", "/user"), ("GET", "/users")]
)
def test_users_can_be_added_and_no_more(api: OnSync, method: str, path: str) -> None:
    answer = api.request(method, f"{path}/format/json", version=2)

    assert refused(answer) == (501, "This call of the vendor's API is not offered here.")


def test_what_the_gateway_says_by_itself_is_xml(api: OnSync) -> None:
    answer = api.web.request("OPTIONS", "/onsync/api/1/x/session")

    assert (answer.status_code, answer.text) == (404, "<xml><status>0</status><error>Unknown method.</error></xml>")


# --- bodies, outages --------------------------------------------------------------------------------------

BOMB = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>'


@pytest.mark.req("P04")
@pytest.mark.parametrize(
    "body",
    [BOMB, b"<xml><topic>x</topic></xml>", b"input_type=json&rest_data={", b"input_type=json&rest_data=[1]",
     b"input_type=json&rest_data=" + b'{"a":' * 100_000, b"input_type=json&rest_data=" + b"[" * 100_000,
     b"{", b"rest_data=%7B", b"&" .join([b"a=1"] * 20_000), b"a=1&a[b]=2", b"topic=%FF",
     b"topic=%ED%A0%80", b'{"topic": "\\ud83d"}', b'input_type=json&rest_data={"topic": "\\ud83d"}',
     b'rest_data={"topic": NaN', b'{"topic": "x", "weight": 1e999}', b"input_type=xml&rest_data=<xml/>"],
    ids=lambda body: body[:30].decode("latin-1"),
)  # fmt: skip
def test_a_body_that_cannot_be_read_is_a_400(api: OnSync, body: bytes) -> None:
    """XML is not read at all, so nothing in it can go off."""
    answer = api.request("PUT", "/session/format/json", content=body, headers=FORM)

    assert refused(answer) == (400, "The body cannot be read.")


@pytest.mark.req("P04")
def test_a_body_of_more_than_a_megabyte_is_a_413(api: OnSync) -> None:
    large = raw({**TOPIC, "unknown": "x" * 1_040_000})
    assert api.request("PUT", "/session", content=large, headers=FORM).status_code == 201

    answer = api.request("PUT", "/session/format/json", content=large + b" " * 20_000, headers=FORM)

    assert refused(answer) == (413, "The body is too large.")


def test_a_client_may_do_here_what_it_may_do_in_the_native_api(clinic: Portal) -> None:
    reader = OnSync(clinic.basic(*clinic.create_client("sessions:read")), clinic.account.slug)

    answer = reader.call("PUT", "/session", **TOPIC)

    assert reader.call("GET", "/authverify").status_code == 200
    assert refused(answer) == (403, "This call needs the scope sessions:write.")


@pytest.mark.req("R01")
def test_an_outage_is_a_503_in_the_vendors_shape(api: OnSync, aws: AwsProxy) -> None:
    failing = calls_of(service="dynamodb", action="TransactWriteItems", function="OnSyncFunction")
    added(api)

    with aws.fail(failing, "InternalServerError", status=500, times=3):
        answer = api.call("PUT", "/session", **TOPIC)

    assert refused(answer) == (503, "The service is briefly unavailable. Please try again.")
    assert answer.headers["retry-after"] == "1"
