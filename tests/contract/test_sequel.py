"""Sequel's API, to the byte: tokens, events and their people, embeds, registrants and attendance, over HTTP.

What the vendor does not say is our choice, and is marked [ours] where it is shown.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.proxy import calls_of
from tests.support.sequel import Sequel
from vestibule.domain import scopes
from vestibule.domain.people import Person, of_registrant, role_of
from vestibule.domain.seats import Seated
from vestibule.errors import UnauthenticatedError
from vestibule.model import Entrance, ParticipantRole

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.support.portal import Portal
    from tests.support.proxy import AwsProxy

pytestmark = pytest.mark.req("D04")

ORIGIN = "https://events.lakeside.example"
STRANGE = "https://evil.example"
HEADERS = {
    "content-type": "application/json; charset=utf-8",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "vary": "Origin",
}
FROM_THE_GATEWAY = {"connection", "date", "content-length", "x-amzn-requestid", "x-amz-request-id", "x-amzn-errortype"}

COMPANY = ["uid", "name", "logo", "parentCompanyId", "eventIds", "metadata"]
EVENT = [
    "uid",
    "companyUid",
    "creatorUid",
    "name",
    "picture",
    "startDate",
    "endDate",
    "timezone",
    "type",
    "metadata",
    "networkingHub",
    "presenters",
    "organizers",
    "isRegistrationModeEnabled",
    "isAttendeeRegistrationModeEnabled",
    "privateEventInfo",
    "closeCaptioningSettings",
]
REGISTRANT = ["name", "email", "join_url", "metadata"]
ACTIVITY = ["userId", "userName", "userEmail", "metadata", "role", "joinedAt", "leftAt", "secondsWatched"]

DENIED = '{"hasError": true, "errorMessage": "Access token is missing or invalid"}'
NO_EVENT = '{"hasError": true, "errorMessage": "Event not found"}'
NO_COMPANY = '{"hasError": true, "errorMessage": "Company not found"}'
NO_REGISTRANT = '{"hasError": true, "errorMessage": "Registrant not found"}'
INVALID_TOKEN = '{"hasError": true, "errorMessage": "Invalid auth token"}'
NO_ROUTE = '{"hasError": true, "errorMessage": "There is no such route."}'
UNREADABLE = '{"hasError": true, "errorMessage": "The body cannot be read."}'
NOT_OFFERED = '{"hasError": true, "errorMessage": "This call of the vendor\'s API is not offered here."}'


@pytest.fixture(scope="module")
def site(open_portal: Callable[..., Portal]) -> Portal:
    """An account for all tests that change nothing about it, whose pages call from an origin of their own."""
    return open_portal(name="Lakeside Events", allowed_origins=[ORIGIN], logo_url="https://cdn.example/logo.svg")


@pytest.fixture(scope="module")
def sequel(site: Portal) -> Sequel:
    """The vendor's API for the shared account."""
    return Sequel(site)


@pytest.fixture(scope="module")
def event(sequel: Sequel) -> dict[str, Any]:
    """An event for all tests that change nothing about it."""
    return sequel.event()


def own_headers(answer: httpx.Response) -> dict[str, str]:
    """Give what the dialect itself says in an answer's headers."""
    return {name: value for name, value in answer.headers.items() if name not in FROM_THE_GATEWAY}


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Give status and body of a refusal, whose headers are those of every answer."""
    assert own_headers(answer) == HEADERS
    assert list(answer.json()) == ["hasError", "errorMessage"]
    return answer.status_code, answer.text


def bad_request(message: str) -> tuple[int, str]:
    """Give what a body that cannot be used is answered."""
    return 400, json.dumps({"hasError": True, "errorMessage": message})


def body_of(answer: httpx.Response) -> Any:
    """Give what an answer holds, which is never an envelope."""
    assert answer.status_code == 200, answer.text
    assert own_headers(answer) == HEADERS
    return answer.json()


# --- POST /oauth/token ------------------------------------------------------------------------------------


def test_client_credentials_become_a_token(sequel: Sequel) -> None:
    """The vendor's four members and nothing else; `expires` is said twice."""
    answer = sequel.ask_for_a_token()
    document = body_of(answer)

    assert list(document) == ["access_token", "token_type", "expires", "expires_in"]
    assert (document["token_type"], document["expires"], document["expires_in"]) == ("Bearer", 900, 900)
    headers = {"Authorization": f"Bearer {document['access_token']}"}
    assert body_of(sequel.get(f"/v1/company/{sequel.portal.client_id}", headers=headers))["name"] == "Lakeside Events"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"client_secret": "wrong"}, (401, "client_id or client_secret is missing or invalid")),
        ({"client_secret": None}, (401, "client_id or client_secret is missing or invalid")),
        ({"client_id": None}, (401, "client_id or client_secret is missing or invalid")),
        ({"client_id": "nobody"}, (401, "client_id or client_secret is missing or invalid")),
        ({"client_id": 17}, (401, "client_id or client_secret is missing or invalid")),
        ({"client_id": ["x"]}, (400, "client_id must be a text.")),
        ({"grant_type": "password"}, (400, "grant_type must be client_credentials")),
        ({"grant_type": None}, (400, "grant_type must be client_credentials")),
    ],
)
def test_a_token_that_cannot_be_had_is_refused(
    sequel: Sequel, changed: dict[str, Any], expected: tuple[int, str]
) -> None:
    """The texts are [ours]."""
    status, message = expected
    said = json.dumps({"hasError": True, "errorMessage": message})
    assert refusal(sequel.ask_for_a_token(**changed)) == (status, said)


def test_what_is_not_needed_for_a_token_does_no_harm(sequel: Sequel) -> None:
    """No audience, an unknown member, a form instead of JSON, another case of the path."""
    form = {
        "client_id": sequel.portal.client_id,
        "client_secret": sequel.portal.client_secret,
        "grant_type": "client_credentials",
    }
    answers = [
        sequel.ask_for_a_token(audience=None, scope="all", nested={"a": [1]}),
        sequel.post("/oauth/token", headers={}, data=form),
        sequel.post("/OAuth/Token/", headers={}, json=form),
        sequel.post("/oauth/token", api="/sequel/api/", headers={}, json=form),
    ]
    assert [answer.status_code for answer in answers] == [200] * 4


# --- credentials ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": ""}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer eyJhbGciOiJub25lIn0.e30."}],
)
def test_without_a_good_token_nothing_is_said(sequel: Sequel, event: dict[str, Any], headers: dict[str, str]) -> None:
    """The vendor's text, everywhere but in analytics."""
    for method, path in (
        ("GET", f"/v1/company/{sequel.portal.client_id}"),
        ("GET", f"/v1/event/{event['uid']}"),
        ("POST", "/v1/event/create"),
        ("POST", f"/v1/event/{event['uid']}/embedCode"),
        ("GET", "/v1/networking/hubs"),
        ("GET", "/nothing"),
    ):
        assert refusal(sequel.request(method, path, headers=headers)) == (401, DENIED)


def test_analytics_refuse_in_plain_text(sequel: Sequel, event: dict[str, Any]) -> None:
    """`Token not found` and `Event not found`, both the vendor's."""
    for path in (f"/analytics/events/{event['uid']}/user-activity", "/analytics/events/12345678/user-activity"):
        answer = sequel.post(path, headers={})
        assert (answer.status_code, answer.text) == (401, "Token not found")
        assert answer.headers["content-type"] == "text/plain"
    for method, path in (
        ("POST", "/analytics/events/12345678/user-activity"),
        ("GET", "/analytics/getVideoWatchOverTime/%00"),
    ):
        answer = sequel.request(method, path)
        assert (answer.status_code, answer.text) == (404, "Event not found")
        assert answer.headers["content-type"] == "text/plain"


def test_a_client_may_do_here_what_it_may_do_in_the_native_api(site: Portal, sequel: Sequel) -> None:
    """[ours]."""
    client_id, secret = site.create_client(scopes.SESSIONS_READ)
    token = sequel.ask_for_a_token(client_id=client_id, client_secret=secret).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}

    assert sequel.get(f"/v1/company/{client_id}", headers=headers).status_code == 200
    answer = sequel.post("/v1/event/create", headers=headers, json={})

    said = '{"hasError": true, "errorMessage": "This call needs the scope sessions:write."}'
    assert refusal(answer) == (403, said)


@pytest.mark.req("P05")
def test_another_accounts_events_are_none_here(sequel: Sequel, portal: Portal) -> None:
    """By every call that names one; and another account is no company."""
    other = Sequel(portal)
    theirs = other.event()["uid"]
    registrant = {"name": "Ada", "email": "ada@example.org"}
    assert other.register(theirs, **registrant)["email"] == "ada@example.org"

    answers = [
        sequel.get(f"/v1/event/{theirs}"),
        sequel.post(f"/v1/event/{theirs}", json={"name": "Mine"}),
        sequel.delete(f"/v1/event/{theirs}"),
        sequel.put(f"/v1/event/{theirs}/presenter", json={"presenter": "me"}),
        sequel.delete(f"/v1/event/{theirs}/organizer/me"),
        sequel.post(f"/v1/event/{theirs}/embedCode", json={"userId": "1"}),
        sequel.get(f"/v1/event/{theirs}/registrants"),
        sequel.delete(f"/v1/event/{theirs}/registrant", json={"email": "ada@example.org"}),
        sequel.get(f"/v1/event/{theirs}/availableReplays"),
    ]

    assert [refusal(answer) for answer in answers] == [(404, NO_EVENT)] * len(answers)
    assert refusal(sequel.post(f"/v1/event/{theirs}/registrant", json=registrant)) == (404, INVALID_TOKEN)
    assert sequel.post(f"/analytics/events/{theirs}/user-activity").text == "Event not found"
    assert refusal(sequel.get(f"/v1/company/{portal.account_id}")) == (404, NO_COMPANY)


# --- browsers of other origins ----------------------------------------------------------------------------


def preflight(sequel: Sequel, path: str, origin: str, method: str = "POST") -> httpx.Response:
    """Ask as a browser does before it sends a token and JSON from another origin's page."""
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    return sequel.request("OPTIONS", path, headers=asked)


@pytest.mark.req("P09")
@pytest.mark.parametrize("path", ["/oauth/token", "/v1/event/12345678/embedCode", "/v1/company/x/events"])
def test_a_page_of_an_allowed_origin_may_call(sequel: Sequel, site: Portal, path: str) -> None:
    """The preflight needs nobody's credentials; it says yes to what some account has registered."""
    assert site.account.allowed_origins == (ORIGIN,)
    yes, no = preflight(sequel, path, ORIGIN), preflight(sequel, path, STRANGE)

    assert (yes.status_code, yes.text) == (204, "")
    assert yes.headers["access-control-allow-origin"] == ORIGIN
    assert yes.headers["access-control-allow-methods"] == "GET, POST, PUT, DELETE"
    assert yes.headers["access-control-allow-headers"] == "Authorization, Content-Type"
    assert yes.headers["vary"] == "Origin"
    assert (no.status_code, no.headers["vary"]) == (204, "Origin")
    assert "access-control-allow-origin" not in no.headers


@pytest.mark.req("P09")
def test_an_answer_names_the_origin_only_to_the_accounts_own_pages(
    sequel: Sequel, event: dict[str, Any], open_portal: Callable[..., Portal]
) -> None:
    """Refusals too; and what another account allows, this one does not."""
    other = open_portal(allowed_origins=["https://other.example"])
    assert preflight(sequel, "/oauth/token", "https://other.example").headers["access-control-allow-origin"]
    token = {"Authorization": f"Bearer {sequel.token}"}

    def allowed(path: str, origin: str, headers: dict[str, str]) -> str | None:
        answer = sequel.get(path, headers=headers | {"Origin": origin})
        assert answer.headers["vary"] == "Origin"
        assert "*" not in answer.headers.get("access-control-allow-origin", "")
        return str(found) if (found := answer.headers.get("access-control-allow-origin")) else None

    for path in (f"/v1/event/{event['uid']}", "/v1/event/12345678", "/v1/networking/x", "/nothing"):
        assert allowed(path, ORIGIN, token) == ORIGIN
        assert allowed(path, "https://other.example", token) is None
        assert allowed(path, STRANGE, token) is None
        assert allowed(path, "null", token) is None
    # a refusal of credentials is for everybody whom a preflight has told yes
    assert allowed(f"/v1/event/{event['uid']}", ORIGIN, {}) == ORIGIN
    assert allowed(f"/v1/event/{event['uid']}", STRANGE, {}) is None
    assert sequel.ask_for_a_token().headers["vary"] == "Origin"
    assert other.account.allowed_origins == ("https://other.example",)


@pytest.mark.req("P09")
def test_an_origin_that_is_taken_back_is_told_no(sequel: Sequel, portal: Portal) -> None:
    """Set and cleared over the native API; functions remember it for 60 seconds, so each is asked about its own."""
    first, second = "https://one.portal.example", "https://two.portal.example"
    shown = portal.api.patch("/v1/account", json={"allowed_origins": [first, second]}).json()
    assert shown["allowed_origins"] == [first, second]
    assert preflight(sequel, "/oauth/token", first).headers["access-control-allow-origin"] == first

    assert portal.api.patch("/v1/account", json={"allowed_origins": [first]}).status_code == 200

    assert "access-control-allow-origin" not in preflight(sequel, "/oauth/token", second).headers


# --- companies --------------------------------------------------------------------------------------------


def test_a_company_is_the_account_by_either_id(portal: Portal) -> None:
    """A public client knows its client_id alone; ids that are not the caller's are no companies."""
    sequel = Sequel(portal)
    ids = [sequel.event(name=f"Event {number}")["uid"] for number in range(2)]

    companies = [body_of(sequel.get(f"/v1/company/{one}")) for one in (portal.account_id, portal.client_id)]

    assert companies[0] == companies[1]
    assert list(companies[0]) == COMPANY
    assert companies[0] == {
        "uid": portal.account_id,
        "name": portal.account.name,
        "logo": None,
        "parentCompanyId": None,
        "eventIds": companies[0]["eventIds"],
        "metadata": None,
    }
    assert sorted(companies[0]["eventIds"]) == sorted(ids)
    assert refusal(sequel.get("/v1/company/12345678")) == (404, NO_COMPANY)
    assert refusal(sequel.get("/v1/company/%F0%9F%99%82/events")) == (404, NO_COMPANY)


def test_a_companys_events_are_a_bare_array(portal: Portal) -> None:
    """In the order of their start, sessions of the native API among them, deleted ones not."""
    sequel = Sequel(portal)
    assert body_of(sequel.get(f"/v1/company/{portal.client_id}/events")) == []
    late = sequel.event(name="Late", startDate="2099-06-01T10:00:00Z", endDate="2099-06-01T11:00:00Z")
    early = sequel.event(name="Early", startDate="2099-01-01T10:00:00Z", endDate="2099-01-01T11:00:00Z")
    gone = sequel.event(name="Gone")
    assert sequel.delete(f"/v1/event/{gone['uid']}").status_code == 200
    host = portal.create_user()
    native = portal.api.post(
        "/v1/sessions",
        json={"title": "Native", "host": {"user_id": host["id"]}, "starts_at": "2099-03-01T10:00:00Z"},
    ).json()

    events = body_of(sequel.get(f"/v1/company/{portal.account_id}/events"))

    assert [one["uid"] for one in events] == [early["uid"], native["id"], late["uid"]]
    assert events[0] == early
    assert [list(one) for one in events] == [EVENT] * 3
    assert (events[1]["type"], events[1]["isRegistrationModeEnabled"]) == ("Virtual", None)


# --- events -----------------------------------------------------------------------------------------------


def test_an_event_is_created_as_it_is_said(sequel: Sequel, site: Portal) -> None:
    """All documented members in their order; ids are texts, metadata comes back as sent."""
    metadata = {"track": "A", "level": 3, "tags": ["Ä", None, {"deep": True}]}
    created = sequel.event(
        companyId=site.account_id,
        picture="https://cdn.example/cover.png?w=1280&h=720",
        presenters=["ada@example.org", "portal-user-7"],
        organizers=["grace@example.org"],
        isRegistrationModeEnabled=True,
        isAttendeeRegistrationModeEnabled=False,
        metadata=metadata,
    )

    assert list(created) == EVENT
    assert re.fullmatch(r"[1-9]\d{7,9}", created["uid"])
    assert created == {
        "uid": created["uid"],
        "companyUid": site.account_id,
        "creatorUid": created["creatorUid"],
        "name": "Spring webinar",
        "picture": "https://cdn.example/cover.png?w=1280&h=720",
        "startDate": "2099-05-05T10:00:00.000Z",
        "endDate": "2099-05-05T11:30:00.000Z",
        "timezone": "America/New_York",
        "type": "Virtual",
        "metadata": metadata,
        "networkingHub": None,
        "presenters": ["ada@example.org", "portal-user-7"],
        "organizers": ["grace@example.org"],
        "isRegistrationModeEnabled": True,
        "isAttendeeRegistrationModeEnabled": False,
        "privateEventInfo": None,
        "closeCaptioningSettings": None,
    }
    assert body_of(sequel.get(f"/v1/event/{created['uid']}")) == created
    # what is the portal's own is all that the native API shows as its metadata
    native = site.api.get(f"/v1/sessions/{created['uid']}").json()
    assert (native["metadata"], native["registration"]["public"]) == (metadata, True)


def test_what_is_left_out_is_null(sequel: Sequel) -> None:
    """Every optional member; empty texts count as left out."""
    created = sequel.event(
        type="LiveStreamInPerson", picture="", presenters=None, organizers=[], metadata=None, unknown={"a": 1}
    )

    empty = ("picture", "metadata", "presenters", "organizers", "isRegistrationModeEnabled")
    assert [created[name] for name in empty] == [None] * len(empty)
    assert created["isAttendeeRegistrationModeEnabled"] is None
    assert created["type"] == "LiveStreamInPerson"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("2099-05-05T10:00:00Z", "2099-05-05T10:00:00.000Z"),
        ("2099-05-05T10:00:00.250Z", "2099-05-05T10:00:00.250Z"),
        ("2099-05-05T10:00:00+02:00", "2099-05-05T08:00:00.000Z"),
        ("2099-05-05T10:00", "2099-05-05T14:00:00.000Z"),
        ("2099-05-05", "2099-05-05T04:00:00.000Z"),
    ],
)
def test_times_come_with_an_offset_or_are_the_zones(sequel: Sequel, sent: str, shown: str) -> None:
    """[ours]: those without one; New York has daylight saving in May."""
    created = sequel.event(startDate=sent, endDate="2099-05-06T00:00:00Z")

    assert (created["startDate"], created["timezone"]) == (shown, "America/New_York")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"companyId": None}, "Missing companyId field in request"),
        ({"name": ""}, "Missing name field in request"),
        ({"name": "  "}, "Missing name field in request"),
        ({"startDate": None}, "Missing startDate field in request"),
        ({"endDate": ""}, "Missing endDate field in request"),
        ({"timezone": None}, "Missing timezone field in request"),
        ({"type": None}, "Missing type field in request"),
        ({"type": "Hybrid"}, "type must be Virtual or LiveStreamInPerson"),
        ({"timezone": "Mars/Olympus"}, "timezone: must be an IANA time zone, such as Europe/Berlin."),
        ({"startDate": "tomorrow"}, "startDate must be a time such as 2027-01-31T09:00:00Z"),
        (
            {"startDate": "2001-01-01T00:00:00Z", "endDate": "2001-01-01T01:00:00Z"},
            "startDate: must not lie in the past.",
        ),
        ({"startDate": 17}, "startDate must be a time such as 2027-01-31T09:00:00Z"),
        ({"startDate": "0001-01-01T00:00:00+23:00"}, "startDate must be a time such as 2027-01-31T09:00:00Z"),
        ({"endDate": "2099-05-05T10:00:00Z"}, "endDate: must be 1 to 525600 minutes."),
        ({"name": "x" * 301}, "name: must have 1 to 300 characters."),
        ({"name": ["a"]}, "name must be a text."),
        ({"metadata": [1]}, "metadata must be an object."),
        ({"picture": "x" * 2_049}, "picture: must have 1 to 2048 characters."),
        ({"metadata": {"a": "x" * 9_000}}, "metadata: must have at most 8192 bytes as JSON."),
        ({"isRegistrationModeEnabled": "perhaps"}, "isRegistrationModeEnabled must be true or false."),
        ({"presenters": [["a"]]}, "presenters must be a text."),
        ({"presenters": [f"p{n}" for n in range(201)]}, "presenters: must be at most 200 entries."),
        (
            {"presenters": ["test@email.com", "b"], "organizers": ["Test@Email.com"]},
            "Users cannot be hosts and presenters at the same time: Test@Email.com",
        ),
    ],
)
def test_an_event_that_cannot_be_is_refused(sequel: Sequel, changed: dict[str, Any], message: str) -> None:
    """With the vendor's names; the first and the last text are the vendor's, the others are [ours]."""
    known = {
        "companyId": sequel.portal.client_id,
        "name": "Refused",
        "startDate": "2099-05-05T10:00:00Z",
        "endDate": "2099-05-05T11:30:00Z",
        "timezone": "UTC",
        "type": "Virtual",
    }

    assert refusal(sequel.post("/v1/event/create", json=known | changed)) == bad_request(message)


def test_an_event_of_another_company_is_not_created(sequel: Sequel, portal: Portal) -> None:
    """The company is the caller's."""
    answer = sequel.post(
        "/v1/event/create",
        json={
            "companyId": portal.account_id,
            "name": "Theirs",
            "startDate": "2099-05-05T10:00:00Z",
            "endDate": "2099-05-05T11:30:00Z",
            "timezone": "UTC",
            "type": "Virtual",
        },
    )

    assert refusal(answer) == (404, NO_COMPANY)


@pytest.mark.req("P04")
@pytest.mark.parametrize(
    "content",
    [
        b'{"name": ',
        b"[1, 2]",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"name": "\\ud800"}',
        b'{"name": %s}' % (b"9" * 5_000),
        b"&".join(b"a%d=1" % number for number in range(11_000)),
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>',
        b'{"metadata": {"level": NaN}}',
        b'{"metadata": {"level": 1e999}}',
        b"name=%FF",
    ],
    ids=[
        "cut",
        "list",
        "bomb",
        "deep",
        "half-a-pair",
        "long-number",
        "fields",
        "xml-bomb",
        "no-number",
        "beyond-measure",
        "latin-1",
    ],
)
def test_a_body_that_cannot_be_read_is_said_to_be_so(sequel: Sequel, content: bytes) -> None:
    """[ours]."""
    assert refusal(sequel.post("/v1/event/create", content=content)) == (400, UNREADABLE)


def test_a_megabyte_is_read_and_more_is_not(sequel: Sequel, event: dict[str, Any]) -> None:
    """Whole objects come back from some clients."""
    long = {**event, "note": "x" * 1_000_000}

    assert sequel.post(f"/v1/event/{event['uid']}", json=long).status_code == 200
    assert refusal(sequel.post(f"/v1/event/{event['uid']}", json={**long, "more": "y" * 60_000})) == (
        413,
        '{"hasError": true, "errorMessage": "The body is too large."}',
    )


def test_a_whole_event_may_be_sent_back(sequel: Sequel) -> None:
    """With everything null and unknown that the vendor's answer holds; nothing changes."""
    for created in (
        sequel.event(),
        sequel.event(metadata={"a": 1}, presenters=["a@example.org"], isRegistrationModeEnabled=False),
    ):
        again = body_of(sequel.post(f"/v1/event/{created['uid']}", json=created))
        assert again == created


def test_an_update_changes_what_is_sent_and_nothing_else(sequel: Sequel) -> None:
    """A start alone leaves the end where it is; null takes away."""
    created = sequel.event(
        presenters=["ada@example.org"], metadata={"a": 1}, picture="https://cdn.example/1.png",
        isRegistrationModeEnabled="true",
    )  # fmt: skip
    path = f"/v1/event/{created['uid']}"

    steps: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({}, {}),
        ({"name": "Renamed ✨"}, {"name": "Renamed ✨"}),
        ({"startDate": "2099-05-05T10:30:00Z"}, {"startDate": "2099-05-05T10:30:00.000Z"}),
        ({"endDate": "2099-05-05T12:00:00Z"}, {"endDate": "2099-05-05T12:00:00.000Z"}),
        ({"timezone": "Europe/Berlin"}, {"timezone": "Europe/Berlin"}),
        ({"organizers": ["grace@example.org", 17]}, {"organizers": ["grace@example.org", "17"]}),
        ({"presenters": None}, {"presenters": None}),
        ({"metadata": {"b": [2]}}, {"metadata": {"b": [2]}}),
        ({"metadata": None, "picture": None}, {"metadata": None, "picture": None}),
        ({"isRegistrationModeEnabled": 0}, {"isRegistrationModeEnabled": False}),
        ({"isRegistrationModeEnabled": None}, {"isRegistrationModeEnabled": None}),
        ({"isAttendeeRegistrationModeEnabled": True}, {"isAttendeeRegistrationModeEnabled": True}),
        ({"type": "LiveStreamInPerson"}, {"type": "LiveStreamInPerson"}),
        ({"type": None, "name": "", "startDate": None, "endDate": "", "timezone": None}, {}),
    ]
    expected = created
    for sent, changed in steps:
        expected = expected | changed
        assert body_of(sequel.post(path, json=sent)) == expected
    assert body_of(sequel.get(path)) == expected
    assert refusal(sequel.post(path, json={"presenters": ["grace@example.org"]})) == bad_request(
        "Users cannot be hosts and presenters at the same time: grace@example.org"
    )


def test_a_deleted_event_is_none(sequel: Sequel) -> None:
    """200 once, as the vendor says; that it answers the event, and what comes afterwards, is [ours]."""
    created = sequel.event()
    path = f"/v1/event/{created['uid']}"
    sequel.register(created["uid"], name="Ada", email="ada@example.org")

    assert body_of(sequel.delete(path)) == created

    assert refusal(sequel.get(path)) == (404, NO_EVENT)
    assert refusal(sequel.delete(path)) == (404, NO_EVENT)
    assert refusal(sequel.post(path, json={"name": "Again"})) == (404, NO_EVENT)
    assert refusal(sequel.put(f"{path}/presenter", json={"presenter": "a"})) == (404, NO_EVENT)
    assert refusal(sequel.post(f"{path}/embedCode", json={"userId": "1"})) == (404, NO_EVENT)
    assert refusal(sequel.get(f"{path}/registrants")) == (404, NO_EVENT)


@pytest.mark.parametrize("event_id", ["12345678", "0", "x", "%00", "%F0%9F%99%82", "x" * 3_000])
def test_an_unknown_event_is_not_found(sequel: Sequel, event_id: str) -> None:
    """Whatever is written for an id."""
    assert refusal(sequel.get(f"/v1/event/{event_id}")) == (404, NO_EVENT)


def test_paths_match_in_any_case_and_at_a_host_of_their_own(sequel: Sequel, event: dict[str, Any]) -> None:
    """And with a slash at the end, of the base address too; a client that is told a host alone has one."""
    host = sequel.portal.api.base_url.replace("//api.", "//sequel.")

    answers = [
        sequel.get(f"/V1/Event/{event['uid']}/"),
        sequel.get(f"/v1/EVENT/{event['uid']}", api=f"{host}/api"),
        sequel.get(f"/v1/event/{event['uid']}", api="/sequel/api/"),
        sequel.get(f"/v1/event/{event['uid']}", api=f"{host}//api/"),
    ]

    assert [body_of(answer) for answer in answers] == [event] * 4


# --- presenters and organizers ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["presenter", "organizer"])
def test_people_are_put_on_a_list_and_taken_off(sequel: Sequel, kind: str) -> None:
    """By address or the portal's own id, in the path percent-encoded; each answer is the list."""
    path = f"/v1/event/{sequel.event()['uid']}/{kind}"

    assert body_of(sequel.put(path, json={kind: "ada+1@example.org"})) == ["ada+1@example.org"]
    assert body_of(sequel.put(path, json={kind: 10_008})) == ["ada+1@example.org", "10008"]
    assert body_of(sequel.put(path, json={kind: "10008"})) == ["ada+1@example.org", "10008"]
    assert body_of(sequel.delete(f"{path}/ada%2B1%40example.org")) == ["10008"]
    assert body_of(sequel.delete(f"{path}/nobody")) == ["10008"]
    assert body_of(sequel.delete(f"{path}/10008")) == []
    assert sequel.get(path.rpartition("/")[0]).json()[f"{kind}s"] is None


@pytest.mark.parametrize(("kind", "other"), [("presenter", "organizer"), ("organizer", "presenter")])
def test_nobody_is_both(sequel: Sequel, kind: str, other: str) -> None:
    """In the vendor's words."""
    path = f"/v1/event/{sequel.event()['uid']}"
    assert sequel.put(f"{path}/{other}", json={other: "test@email.com"}).status_code == 200

    answer = sequel.put(f"{path}/{kind}", json={kind: "test@email.com"})

    said = "Users cannot be hosts and presenters at the same time: test@email.com"
    assert refusal(answer) == bad_request(said)
    for body in ({}, {kind: ""}, {kind: None}, {other: "x"}):
        assert refusal(sequel.put(f"{path}/{kind}", json=body)) == bad_request(f"Missing {kind} field in request")


# --- embeds -----------------------------------------------------------------------------------------------


def shown(sequel: Sequel, event_id: str, url: str) -> Person:
    """Give whom an iframe's address proves to an event."""
    house, account = sequel.portal.house, sequel.portal.account
    session = house.sessions.get(account.account_id, event_id)
    return house.embed_reader.read(account, session, url.partition("#token=")[2])


@pytest.mark.req("E01", "E03")
def test_an_embed_is_a_bare_string_that_knows_the_person(sequel: Sequel, site: Portal, event: dict[str, Any]) -> None:
    """The address of this event on the account's hub; who it is for rides in the fragment."""
    who = {
        "userId": "portal-7",
        "userDisplayName": "Zoë Ångström",
        "userEmail": "zoe@example.org",
        "userAvatar": "https://cdn.example/zoe.png",
    }
    answer = sequel.post(f"/v1/event/{event['uid']}/embedCode", json=who)
    url = body_of(answer)

    assert answer.text == f'"{url}"'
    assert url.startswith(f"{site.hub_url}/embed/{event['uid']}#token=")
    assert not any(value in url for value in who.values())
    person = shown(sequel, event["uid"], url)
    assert (person.user_id, person.name, person.email, person.avatar) == tuple(who.values())


@pytest.mark.req("E03")
@pytest.mark.parametrize(
    ("sent", "user_id", "name"),
    [
        ({"userId": 7, "userName": "Ada"}, "7", "Ada"),
        ({"userId": "7", "userName": "Ada", "userDisplayName": "Countess"}, "7", "Countess"),
        ({"userEmail": "ada@example.org", "userAvatar": ""}, "ada@example.org", None),
        ({"userId": None, "userDisplayName": "", "unknown": [1]}, None, None),
        ({}, None, None),
    ],
)
def test_none_of_its_members_is_required(
    sequel: Sequel, event: dict[str, Any], sent: dict[str, Any], user_id: str | None, name: str | None
) -> None:
    """Either name of the name. [ours]: somebody without any id is a new one each time; a blank avatar is Gravatar's."""
    people = [shown(sequel, event["uid"], sequel.embed_url(event["uid"], **sent)) for _ in range(2)]

    assert people[0].name == name
    assert people[0].picture.startswith("https://gravatar.com/avatar/")
    if user_id is None:
        assert people[0].user_id != people[1].user_id
    else:
        assert {person.user_id for person in people} == {user_id}


@pytest.mark.req("E01")
@pytest.mark.parametrize(
    ("specific", "opens"), [(True, False), ("true", False), (None, False), (False, True), (0, True)]
)
def test_event_specific_says_whether_it_opens_other_events(
    sequel: Sequel,
    event: dict[str, Any],
    specific: Any,
    opens: bool,  # noqa: FBT001 - a parameter
) -> None:
    """Of the same company; left out, it does not."""
    other = sequel.event()["uid"]
    url = sequel.embed_url(event["uid"], userId="7", eventSpecific=specific)

    assert shown(sequel, event["uid"], url).user_id == "7"
    if opens:
        assert shown(sequel, other, url).user_id == "7"
    else:
        with pytest.raises(UnauthenticatedError):
            shown(sequel, other, url)


@pytest.mark.req("E03")
def test_who_is_put_on_a_list_afterwards_needs_no_new_token(sequel: Sequel, site: Portal) -> None:
    """The role is decided when the person joins."""
    event_id = sequel.event()["uid"]
    person = shown(sequel, event_id, sequel.embed_url(event_id, userId="7", userEmail="ada@example.org"))

    def role() -> ParticipantRole:
        return role_of(site.house.sessions.get(site.account_id, event_id), person)

    assert role() is ParticipantRole.ATTENDEE
    assert sequel.put(f"/v1/event/{event_id}/presenter", json={"presenter": "Ada@example.org"}).status_code == 200
    assert role() is ParticipantRole.PRESENTER
    assert sequel.delete(f"/v1/event/{event_id}/presenter/ada@example.org").status_code == 200
    assert sequel.put(f"/v1/event/{event_id}/organizer", json={"organizer": "7"}).status_code == 200
    assert role() is ParticipantRole.ORGANIZER


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"userId": "x" * 257}, "userId: must have 1 to 256 characters."),
        ({"userId": "1", "userEmail": "nobody"}, "userEmail: must be an e-mail address."),
        ({"userId": "1", "userAvatar": "javascript:alert(1)"}, "userAvatar: must be an absolute https address."),
        ({"userId": "1", "userName": "a\u202eb"}, "userDisplayName: must not hold U+202E."),
        ({"userId": {"a": 1}}, "userId must be a text."),
        ({"userId": "1", "eventSpecific": "maybe"}, "eventSpecific must be true or false."),
    ],
)
def test_an_embed_that_cannot_be_is_refused(
    sequel: Sequel, event: dict[str, Any], sent: dict[str, Any], message: str
) -> None:
    """The texts are [ours]."""
    assert refusal(sequel.post(f"/v1/event/{event['uid']}/embedCode", json=sent)) == bad_request(message)


# --- registrants ------------------------------------------------------------------------------------------


@pytest.mark.req("E05", "E07")
def test_a_registrant_gets_a_link(sequel: Sequel, site: Portal) -> None:
    """The four documented members and nothing else; metadata as sent; the same again in the list."""
    event_id = sequel.event()["uid"]
    metadata = {"company": "Navy", "title": None, "deep": {"a": [1, "Ä"]}}

    answer = sequel.post(
        f"/v1/event/{event_id}/registrant",
        json={"name": "Grace Hopper", "email": " Grace@example.org ", "metadata": metadata, "phone": "1"},
    )
    grace = body_of(answer)
    ada = sequel.register(event_id, name="Ada", email="ada@example.org")

    assert list(grace) == REGISTRANT
    assert (grace["name"], grace["email"], grace["metadata"]) == ("Grace Hopper", "Grace@example.org", metadata)
    assert re.fullmatch(rf"{re.escape(site.hub_url)}/r/{event_id}-\d+-[\w-]+", grace["join_url"])
    assert ada["metadata"] == {}
    assert ada["join_url"] != grace["join_url"]
    listed = body_of(sequel.get(f"/v1/event/{event_id}/registrants"))
    assert sorted(listed, key=lambda one: str(one["email"])) == [grace, ada]
    # and it proves the person to this event alone
    proven = site.house.registrants.prove(site.account_id, grace["join_url"].rpartition("/")[2])
    assert proven is not None
    assert (proven[0].session_id, proven[1].email) == (event_id, "Grace@example.org")


@pytest.mark.req("E04")
def test_an_address_registers_once(sequel: Sequel) -> None:
    """In whatever spelling; the refusal holds no link. [ours]: its status and text."""
    event_id = sequel.event()["uid"]
    first = sequel.register(event_id, name="Ada", email="ada@example.org")

    again = sequel.post(f"/v1/event/{event_id}/registrant", json={"name": "Eve", "email": "ADA@Example.org"})

    assert refusal(again) == bad_request("The address is registered for this session already.")
    assert "join_url" not in again.text
    assert body_of(sequel.get(f"/v1/event/{event_id}/registrants")) == [first]


@pytest.mark.req("E09")
def test_limited_places_are_limited_here_too(sequel: Sequel, site: Portal) -> None:
    """A capacity that the native API has set; a place that is given back is free. [ours]: status and text."""
    host = site.create_user()
    limited = {"title": "Small", "host": {"user_id": host["id"]}, "registration": {"public": False, "capacity": 1}}
    path = f"/v1/event/{site.api.post('/v1/sessions', json=limited).json()['id']}/registrant"
    ada, grace = ({"name": name, "email": f"{name}@example.org"} for name in ("ada", "grace"))

    assert sequel.post(path, json=ada).status_code == 200
    assert refusal(sequel.post(path, json=grace)) == bad_request("The session has no place left.")
    assert sequel.delete(path, json=ada).status_code == 204
    assert sequel.post(path, json=grace).status_code == 200


@pytest.mark.req("E05")
def test_a_registrant_is_taken_off_by_the_address(sequel: Sequel, site: Portal) -> None:
    """A DELETE with a body, answered 204; the link is dead, and who comes back has another."""
    event_id = sequel.event()["uid"]
    first = sequel.register(event_id, name="Ada", email="ada@example.org")
    path = f"/v1/event/{event_id}/registrant"

    gone = sequel.delete(path, json={"email": "Ada@EXAMPLE.org"})

    assert (gone.status_code, gone.text) == (204, "")
    assert site.house.registrants.prove(site.account_id, first["join_url"].rpartition("/")[2]) is None
    assert body_of(sequel.get(f"{path}s")) == []
    assert refusal(sequel.delete(path, json={"email": "ada@example.org"})) == (404, NO_REGISTRANT)
    assert refusal(sequel.delete(path, json={"email": "nobody"})) == (404, NO_REGISTRANT)
    assert refusal(sequel.delete(path)) == bad_request("Missing email field in request")
    assert sequel.register(event_id, name="Ada", email="ada@example.org")["join_url"] != first["join_url"]


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"name": "Ada"}, "Missing email field in request"),
        ({"name": "Ada", "email": " "}, "Missing email field in request"),
        ({"email": "ada@example.org"}, "Missing name field in request"),
        ({}, "Missing name field in request"),
        ({"name": "Ada", "email": "nobody"}, "email: must be an e-mail address."),
        ({"name": "Ada", "email": "a@b.org", "metadata": "x"}, "metadata must be an object."),
        ({"name": "A", "email": "a@b.org", "metadata": {"a": "x" * 9_000}},
         "metadata: must have at most 8192 bytes as JSON."),
        ({"name": {"first": "Ada"}, "email": "a@b.org"}, "name must be a text."),
    ],
)  # fmt: skip
def test_a_registrant_that_cannot_be_is_refused(
    sequel: Sequel, event: dict[str, Any], sent: dict[str, Any], message: str
) -> None:
    """400, as the vendor says; the texts are [ours]."""
    assert refusal(sequel.post(f"/v1/event/{event['uid']}/registrant", json=sent)) == bad_request(message)


def test_nobody_registers_for_an_unknown_event(sequel: Sequel) -> None:
    """In the vendor's words; a deleted one is unknown too."""
    ada = {"name": "Ada", "email": "ada@example.org"}
    gone = sequel.event()["uid"]
    assert sequel.delete(f"/v1/event/{gone}").status_code == 200

    for event_id in ("12345678", "x", gone):
        assert refusal(sequel.post(f"/v1/event/{event_id}/registrant", json=ada)) == (404, INVALID_TOKEN)


# --- analytics --------------------------------------------------------------------------------------------


@pytest.mark.req("E07")
def test_activity_says_who_was_there_with_their_metadata(sequel: Sequel, site: Portal) -> None:
    """A registrant and somebody by an embed; the members of an item are [ours]. An empty body will do."""
    event_id = sequel.event()["uid"]
    grace = sequel.register(event_id, name="Grace Hopper", email="grace@example.org", metadata={"company": "Navy"})
    url = sequel.embed_url(event_id, userId="portal-7", userName="Ada", userEmail="ada@example.org")
    assert body_of(sequel.post(f"/analytics/events/{event_id}/user-activity")) == {
        "items": [],
        "totalCount": 0,
        "page": 1,
        "size": 100,
    }
    assert body_of(sequel.get(f"/analytics/getVideoWatchOverTime/{event_id}")) == {"VideoViews": []}
    proven = site.house.registrants.prove(site.account_id, grace["join_url"].rpartition("/")[2])
    assert proven is not None
    session = proven[0]
    for person, entrance in (
        (of_registrant(proven[1]), Entrance.REGISTRANT),
        (shown(sequel, event_id, url), Entrance.EMBED),
    ):
        assert isinstance(site.house.seats.take(site.account, session, person, entrance), Seated)

    whole = body_of(sequel.post(f"/analytics/events/{event_id}/user-activity?count=100&page=1"))
    first, second, third = (
        body_of(sequel.post(f"/analytics/events/{event_id}/user-activity?Count=1&page={page}")) for page in (1, 2, 3)
    )

    assert list(whole) == ["items", "totalCount", "page", "size"]
    assert (whole["totalCount"], whole["page"], whole["size"]) == (2, 1, 100)
    assert [list(item) for item in whole["items"]] == [ACTIVITY] * 2
    by_name = {item["userName"]: item for item in whole["items"]}
    assert by_name["Grace Hopper"]["metadata"] == {"company": "Navy"}
    assert (by_name["Ada"]["userId"], by_name["Ada"]["userEmail"]) == ("portal-7", "ada@example.org")
    assert (by_name["Ada"]["metadata"], by_name["Ada"]["role"]) == ({}, "attendee")
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", item["joinedAt"]) for item in whole["items"])
    assert all(isinstance(item["secondsWatched"], int) for item in whole["items"])
    assert [*first["items"], *second["items"]] == whole["items"]
    assert (third["items"], third["totalCount"], third["page"], third["size"]) == ([], 2, 3, 1)
    watched = body_of(sequel.get(f"/analytics/getVideoWatchOverTime/{event_id}"))
    assert list(watched) == ["VideoViews"]
    assert sum(count for _, count in watched["VideoViews"]) == 2
    for query in ("count=x", "count=0", "page=-1", "page=0", "count=9999999"):
        answer = sequel.post(f"/analytics/events/{event_id}/user-activity?{query}")
        assert refusal(answer) == bad_request(f"{query.partition('=')[0]} must be a number from 1 on")


# --- outages ----------------------------------------------------------------------------------------------


@pytest.mark.req("R01")
def test_an_outage_is_a_503_in_the_vendors_shape(sequel: Sequel, event: dict[str, Any], aws: AwsProxy) -> None:
    """With nothing of its cause, and when to come back."""
    failing = calls_of(service="dynamodb", action="GetItem", function="SequelFunction")

    with aws.fail(failing, "InternalServerError", status=500, times=3):
        answer = sequel.get(f"/v1/event/{event['uid']}")

    said = '{"hasError": true, "errorMessage": "The service is briefly unavailable. Please try again."}'
    assert (answer.status_code, answer.text) == (503, said)
    assert own_headers(answer) == {**HEADERS, "retry-after": "1"}


# --- what is not offered ----------------------------------------------------------------------------------


def test_there_are_no_recordings(sequel: Sequel, event: dict[str, Any]) -> None:
    """An empty array."""
    assert body_of(sequel.get(f"/v1/event/{event['uid']}/availableReplays")) == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/networking/hub/123"),
        ("POST", "/v1/networking/create"),
        ("DELETE", "/v1/networking/hub/123"),
        ("PUT", "/v1/event/123"),
        ("PATCH", "/v1/event/123"),
        ("GET", "/v1/event/123/polls"),
        ("POST", "/v1/company/create"),
        ("GET", "/analytics/getAnything/123"),
    ],
)
def test_what_is_not_offered_says_so(sequel: Sequel, method: str, path: str) -> None:
    """501 with the envelope, not a 404 that looks like a wrong address."""
    assert refusal(sequel.request(method, path)) == (501, NOT_OFFERED)


def test_what_the_vendor_does_not_have_is_no_route(sequel: Sequel) -> None:
    """[ours]: the text."""
    for path in ("/nothing", "/v2/event/1", "/v1", ""):
        assert refusal(sequel.get(path)) == (404, NO_ROUTE)
