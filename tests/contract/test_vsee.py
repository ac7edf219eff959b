"""VSee Clinic's API, to the byte: users and their tokens, rooms, and the redirect, over HTTP.

What the vendor does not say is our choice, and is marked [ours] where it is shown.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.support.portal import cookie_of
from tests.support.proxy import calls_of
from tests.support.vsee import Vsee
from vestibule.domain import scopes

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.support.portal import Portal
    from tests.support.proxy import AwsProxy

pytestmark = pytest.mark.req("D02")

JOHN = {"first_name": "John", "last_name": "Provider", "type": "400", "code": "cd978112"}
HEADERS = {"content-type": "application/json", "cache-control": "no-store", "x-content-type-options": "nosniff"}
FROM_THE_GATEWAY = {"date", "content-length", "x-amzn-requestid", "x-amz-request-id", "x-amzn-errortype"}

USER = [
    "id",
    "code",
    "first_name",
    "last_name",
    "full_name",
    "username",
    "vseeid",
    "email",
    "active",
    "tos",
    "status",
    "subtype",
    "timezone",
    "email_verified",
    "account_code",
    "clinics",
    "rooms",
]
TOKEN = ["user_id", "token", "expiry", "created", "user_type", "refresh_token"]
REFRESH_TOKEN = ["user_id", "token", "expiry", "created"]
USERS_ROOM = ["code", "slug", "name", "domain", "account_code", "id", "logo_url"]
PUBLIC_ROOM = ["slug", "name", "domain", "code", "created", "modified"]
ROOM = [
    "id",
    "code",
    "slug",
    "name",
    "domain",
    "subtitle",
    "active",
    "users",
    "account_code",
    "provider_ids",
    "public_access_room",
    "modified",
    "created",
    "visits",
    "auth",
]
DENIED = (
    '{"code": 401, "message": '
    '"The credentials in X-AccountCode, X-ApiKey and X-ApiSecret, or X-ApiToken are not valid."}'
)
NO_ROUTE = '{"code": 404, "message": "There is no such route."}'
NO_ROOM = '{"code": 404, "message": "The account has no such room."}'
NO_USER = '{"code": 404, "message": "The account has no such user."}'
UNREADABLE = '{"code": 400, "message": "The body cannot be read."}'
NOT_OFFERED = '{"code": 501, "message": "This call of the vendor\'s API is not offered here."}'


@pytest.fixture(scope="module")
def clinic(open_portal: Callable[..., Portal]) -> Portal:
    """An account for all tests that change nothing about it."""
    return open_portal()


@pytest.fixture(scope="module")
def vsee(clinic: Portal) -> Vsee:
    """The vendor's API for the shared account."""
    return Vsee(clinic)


@pytest.fixture(scope="module")
def known(vsee: Vsee) -> None:
    """A room of the shared account, `known` by its code, to which nobody is assigned."""
    assert vsee.post("/rooms", json={"name": "Known", "code": "known"}).status_code == 200


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Give status and body of a refusal, whose headers are those of every answer."""
    own = {name: value for name, value in answer.headers.items() if name not in {*FROM_THE_GATEWAY, "retry-after"}}
    assert own == HEADERS
    assert answer.json()["code"] == answer.status_code
    return answer.status_code, answer.text


def bad_request(message: str) -> tuple[int, str]:
    """Give what a refused field is answered."""
    return 400, f'{{"code": 400, "message": "{message}"}}'


def data(answer: httpx.Response) -> Any:
    """Give the data of an answer, which is all that it has but a list's length."""
    assert answer.status_code == 200, answer.text
    document = answer.json()
    assert list(document) in (["data"], ["data", "total_count"])
    return document["data"]


# --- POST /users/sso --------------------------------------------------------------------------------------


def test_a_provider_is_created_and_gets_a_token(vsee: Vsee, clinic: Portal) -> None:
    """Status exactly 200, the documented members in their order, ids as texts and times as numbers."""
    before = int(time.time())
    answer = vsee.post("/users/sso", data=JOHN)
    user = data(answer)

    assert {name: value for name, value in answer.headers.items() if name not in FROM_THE_GATEWAY} == HEADERS
    assert list(user) == [*USER, "token"]
    token, slug = user["token"], clinic.account.slug
    assert list(token) == TOKEN
    assert list(token["refresh_token"]) == REFRESH_TOKEN
    assert re.fullmatch(r"[1-9]\d{7,9}", user["id"])
    assert (user["code"], user["first_name"], user["last_name"]) == ("cd978112", "John", "Provider")
    assert (user["full_name"], user["email"], user["timezone"], user["subtype"]) == ("John Provider", "", "", "")
    assert user["vseeid"] == f"vestibule+{user['username']}"
    assert len(user["username"]) > 3
    assert (user["active"], user["tos"], user["status"], user["email_verified"]) == (True, False, 20, False)
    assert (user["account_code"], user["clinics"], user["rooms"]) == (slug, [slug], [])
    assert token["user_id"] == token["refresh_token"]["user_id"] == user["id"]
    assert token["user_type"] == "400"
    assert re.fullmatch(r"[0-9a-f]{32}", token["token"])
    assert re.fullmatch(r"[0-9a-f]{32}", token["refresh_token"]["token"])
    assert before <= token["created"] <= time.time()
    assert token["expiry"] - token["created"] in {86_400, 86_401}  # rounded away from the first moment it is dead
    assert token["refresh_token"]["expiry"] - token["created"] in {2_592_000, 2_592_001}
    assert clinic.api.get(f"/v1/users/{user['id']}").json()["role"] == "provider"


@pytest.mark.parametrize(
    "request_body",
    [
        {"data": JOHN},
        {"json": JOHN},
        {"json": {**JOHN, "type": 400}},
        {"files": {name: (None, value) for name, value in JOHN.items()}},
        {"json": JOHN, "more_headers": {"Content-Type": "text/plain"}},
        {"content": b"first_name=John&last_name=Provider&type=400&code=cd978112"},
        {"json": {**JOHN, "email": None, "dob": "1970-01-31", "gender": 1, "something_new": {"a": [1]}}},
        {"data": {**JOHN, "disable_emails": "1", "phone": "", "street_addr": "1 Main St", "email": ""}},
        {"content": b'\xef\xbb\xbf{"first_name":"John","last_name":"Provider","type":400,"code":"cd978112"}'},
    ],
    ids=[
        "form",
        "json",
        "number",
        "multipart",
        "json-as-text",
        "form-unlabelled",
        "unknown-members",
        "all-fields",
        "byte-order-mark",
    ],
)
def test_a_code_is_the_same_user_in_every_kind_of_body(vsee: Vsee, request_body: dict[str, Any]) -> None:
    """multipart/form-data, application/x-www-form-urlencoded and application/json; members nobody knows do no harm."""
    known = vsee.sso(**JOHN)

    user = data(vsee.post("/users/sso", **request_body))

    assert (user["id"], user["username"]) == (known["id"], known["username"])
    assert user["token"]["token"] != known["token"]["token"]


def test_text_in_utf_8_survives_every_kind_of_body(vsee: Vsee) -> None:
    """A multipart form's parts and a form's percent-encoding alike."""
    zoe = {"first_name": "Zoë", "last_name": "Ångström 🙂", "type": "200", "code": "Ω/7 & 8"}

    users = [
        data(vsee.post("/users/sso", **body))
        for body in ({"data": zoe}, {"json": zoe}, {"files": {name: (None, value) for name, value in zoe.items()}})
    ]

    assert {(user["id"], user["code"], user["full_name"]) for user in users} == {
        (users[0]["id"], "Ω/7 & 8", "Zoë Ångström 🙂")
    }


def test_what_the_portal_says_later_is_what_the_user_is(vsee: Vsee, clinic: Portal) -> None:
    """[ours]; what is left out stays."""
    first = vsee.sso(code="changing", email="ada@portal.example", timezone="Europe/Berlin")
    second = vsee.sso(code="changing", first_name="Ada", last_name="King", type=200)

    assert second["id"] == first["id"]
    assert (second["full_name"], second["email"], second["timezone"]) == (
        "Ada King",
        "ada@portal.example",
        "Europe/Berlin",
    )
    assert second["token"]["user_type"] == "200"
    assert clinic.api.get(f"/v1/users/{first['id']}").json()["role"] == "member"


def test_who_comes_without_a_type_is_a_member_at_first_and_stays_what_it_is(vsee: Vsee) -> None:
    """[ours]."""
    new, provider = vsee.sso(code="untyped", type=None), vsee.sso(code="typed", type=400)
    again = vsee.sso(code="typed", type="")

    assert [user["token"]["user_type"] for user in (new, provider, again)] == ["200", "400", "400"]
    assert again["id"] == provider["id"]


def test_a_username_that_was_left_is_free_again(portal: Portal) -> None:
    """[ours]; a name that nobody chose stays what it was."""
    vsee = Vsee(portal)
    assert vsee.sso(code="one", username="first.name")["username"] == "first.name"
    assert vsee.sso(code="one", username="second.name")["username"] == "second.name"
    assert vsee.sso(code="one")["username"] == "second.name"

    assert vsee.sso(code="two", username="first.name")["username"] == "first.name"


def test_a_guest_needs_no_code_and_is_new_each_time(vsee: Vsee) -> None:
    """Type 600."""
    guests = [vsee.sso(type=600, code="") for _ in range(2)]

    assert guests[0]["id"] != guests[1]["id"]
    assert [guest["code"] for guest in guests] == ["", ""]
    assert {guest["token"]["user_type"] for guest in guests} == {"600"}


def test_fields_vsee_adds_its_member_at_the_end(vsee: Vsee) -> None:
    """With the id and a token; without the parameter it is not there."""
    user = data(vsee.post("/users/sso?fields=vsee", json=JOHN))

    assert list(user) == [*USER, "token", "vsee"]
    assert user["vsee"] == {"id": user["vseeid"], "token": user["token"]["token"]}


@pytest.mark.parametrize(
    ("api", "path"),
    [
        ("/vsee/api_v3", "/users/sso.json"),
        ("/vsee/api_v3", "/Users/SSO"),
        ("/vsee/vc/next/api_v3", "/users/sso"),
        ("/vsee/vc/stable/api_v3", "/users/sso.json"),
        ("/vc/next/api_v3", "/users/sso"),
        ("/vc/stable/api_v3", "/users/sso.json"),
        ("/vsee/next/api_v3", "/users/sso/"),
        ("/vsee/api_v3/", "/users/sso"),
        ("/vc/next//api_v3/", "/users/sso"),
    ],
)
def test_a_client_keeps_the_vendors_path(vsee: Vsee, api: str, path: str) -> None:
    """The suffix on every path, and both prefixes, below the dialect's address or in its place; a slash too many."""
    assert data(vsee.post(path, api=api, json=JOHN))["code"] == "cd978112"


def test_a_client_that_is_told_a_host_alone_has_one(vsee: Vsee) -> None:
    """A name of the dialect's own, with the vendor's path behind it."""
    host = vsee.portal.api.base_url.replace("//api.", "//vsee.")

    for api in ("/vc/next/api_v3", "/api_v3"):
        assert data(vsee.post("/users/sso", api=host + api, json=JOHN))["code"] == "cd978112"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"first_name": ""}, "first_name: required."),
        ({"first_name": None, "last_name": " "}, "first_name, last_name: required."),
        ({"code": ""}, "code: required."),
        ({"type": "200", "code": None}, "code: required."),
        ({"type": "500"}, "type: must be 200, 400 or 600."),
        ({"code": "x" * 129}, "code: must have at most 128 characters."),
        ({"email": "nobody"}, "email: must be an e-mail address."),
        ({"timezone": "Mars/Olympus"}, "timezone: must be an IANA time zone, such as Europe/Berlin."),
        ({"username": "a b"}, "username: must have 3 to 128 letters, digits and . _ @ + - only."),
        ({"first_name": "x" * 200}, "first_name, last_name: must have 1 to 200 characters."),
        ({"room_code": "nowhere"}, "room_code: there is no such room."),
        ({"first_name": ["John"]}, "first_name must be a text."),
    ],
)
def test_a_field_that_cannot_be_used_is_named(vsee: Vsee, fields: dict[str, Any], message: str) -> None:
    """In the vendor's shape and with the vendor's names. The texts are [ours]."""
    answer = vsee.post("/users/sso", json={**JOHN, "code": "refused", **fields})

    assert refusal(answer) == bad_request(message)


def test_a_username_belongs_to_one_user(vsee: Vsee) -> None:
    """[ours]."""
    vsee.sso(code="first", username="dr.who")

    answer = vsee.post("/users/sso", json={**JOHN, "code": "second", "username": "Dr.Who"})

    assert refusal(answer) == bad_request("Another user of the account has this username.")


@pytest.mark.req("P04")
@pytest.mark.parametrize(
    "content",
    [
        b'{"first_name": ',
        b"[1, 2]",
        b"[" * 100_000,
        b'{"first_name": "\\ud800", "last_name": "P", "code": "1"}',
        b"&".join(b"a%d=1" % number for number in range(11_000)),
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>',
        b'{"first_name": "John", "last_name": "P", "code": "1", "weight": 1e999}',
        b"first_name=%FF&last_name=P&code=1",
    ],
    ids=["cut", "list", "bomb", "half-a-pair", "fields", "xml-bomb", "beyond-measure", "latin-1"],
)
def test_a_body_that_cannot_be_read_is_said_to_be_so(vsee: Vsee, content: bytes) -> None:
    """[ours]."""
    assert refusal(vsee.post("/users/sso", content=content)) == (400, UNREADABLE)


def test_a_megabyte_is_read_and_more_is_not(vsee: Vsee) -> None:
    """Whole objects come back from some clients."""
    long = {**JOHN, "note": "x" * 1_000_000}

    assert vsee.post("/users/sso", json=long).status_code == 200
    assert refusal(vsee.post("/users/sso", json={**long, "more": "y" * 60_000})) == (
        413,
        '{"code": 413, "message": "The body is too large."}',
    )


def test_a_disabled_user_gets_no_token(vsee: Vsee, clinic: Portal) -> None:
    """[ours]."""
    user = vsee.sso(code="gone")
    clinic.api.patch(f"/v1/users/{user['id']}", json={"status": "disabled"})

    answer = vsee.post("/users/sso", json={**JOHN, "code": "gone"})

    assert refusal(answer) == (403, '{"code": 403, "message": "The user is disabled."}')


# --- credentials ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"X-AccountCode": None},
        {"X-AccountCode": ""},
        {"X-AccountCode": "nobody"},
        {"X-AccountCode": "x" * 3_000},
        {"X-ApiSecret": None},
        {"X-ApiSecret": "wrong"},
        {"X-ApiKey": None},
        {"X-ApiKey": "nobody"},
        {"X-ApiKey": None, "X-ApiSecret": None},
        {"X-ApiKey": None, "X-ApiSecret": None, "X-ApiToken": "0" * 32},
        {"X-ApiKey": None, "X-ApiSecret": None, "X-ApiToken": "eyJhbGciOiJub25lIn0.e30."},
    ],
)
def test_without_good_credentials_nothing_is_said(vsee: Vsee, change: dict[str, str | None]) -> None:
    """One answer for all. Its text is [ours], and so is that the secret is required."""
    headers = {name: value for name, value in (vsee.key | change).items() if value is not None}

    assert refusal(vsee.post("/users/sso", headers=headers, json=JOHN)) == (401, DENIED)
    assert refusal(vsee.post("/rooms", headers=headers, json={"name": "A"})) == (401, DENIED)


@pytest.mark.req("P05")
def test_another_accounts_credentials_are_none_here(vsee: Vsee, portal: Portal) -> None:
    """Key, admin token and a user's token."""
    theirs = Vsee(portal)
    tokens = [portal.access_token(), theirs.sso()["token"]["token"]]

    answers = [vsee.post("/rooms", headers=theirs.key | vsee.account_code, json={"name": "A"})]
    answers += [vsee.post("/rooms", headers=vsee.token(token), json={"name": "A"}) for token in tokens]

    assert [refusal(answer) for answer in answers] == [(401, DENIED)] * 3


def test_a_client_may_do_here_what_it_may_do_in_the_native_api(clinic: Portal, vsee: Vsee) -> None:
    """[ours]."""
    for granted, needed in (
        ((scopes.LOGIN_URIS_WRITE,), scopes.USERS_WRITE),
        ((scopes.USERS_WRITE,), scopes.LOGIN_URIS_WRITE),
    ):
        client_id, secret = clinic.create_client(*granted)
        headers = vsee.account_code | {"X-ApiKey": client_id, "X-ApiSecret": secret}

        answer = vsee.post("/users/sso", headers=headers, json=JOHN)

        assert refusal(answer) == (403, f'{{"code": 403, "message": "This call needs the scope {needed}."}}')


# --- rooms ------------------------------------------------------------------------------------------------


def test_a_room_is_created_with_the_admins_token(portal: Portal) -> None:
    """The documented members in their order; a generated code has five lower-case letters and digits."""
    vsee = Vsee(portal)
    answer = vsee.post(
        "/rooms",
        headers=vsee.token(portal.access_token()),
        data={"domain": "vclinic.example", "name": "Dr. Provider", "slug": "uat2"},
    )
    room = data(answer)

    assert list(room) == ROOM
    assert re.fullmatch(r"[1-9]\d{7,9}", room["id"])
    assert re.fullmatch(r"[a-z0-9]{5}", room["code"])
    assert (room["slug"], room["name"], room["domain"]) == ("uat2", "Dr. Provider", "vclinic.example")
    assert (room["subtitle"], room["active"], room["users"], room["provider_ids"]) == ("", True, [], [])
    assert (room["account_code"], room["public_access_room"]) == (portal.account.slug, True)
    assert isinstance(room["created"], int)
    assert room["modified"] == room["created"]
    assert room["visits"] == {"walkin": {"enabled": True}, "appointment": {"enabled": True}}
    assert room["auth"] == {"guest": {"type": "600", "log_in": {"enabled": True}}}


def test_a_room_exists_once(portal: Portal) -> None:
    """(domain, slug) and code; the first text is the vendor's, the second is [ours]."""
    vsee = Vsee(portal)
    first = {"domain": "vclinic.example", "name": "One", "slug": "uat2", "code": "one12"}
    assert vsee.post("/rooms", json=first).status_code == 200

    same_slug = vsee.post("/rooms", json={**first, "code": "two12"})
    same_code = vsee.post("/rooms", json={**first, "slug": "uat3"})
    elsewhere = vsee.post("/rooms", json={**first, "code": "two12", "domain": "other.example"})

    assert refusal(same_slug) == bad_request("In domain 'vclinic.example' slug 'uat2' already exists.")
    assert refusal(same_code) == bad_request("Code 'one12' already exists.")
    assert elsewhere.status_code == 200


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "name: required."),
        ({"name": "A", "domain": "not a host"}, "domain: must be a host name, such as clinic.example."),
        (
            {"name": "A", "code": "a/b"},
            "code: must have 1 to 64 letters, digits, and inner hyphens or underscores.",
        ),
    ],
)
def test_a_room_that_cannot_be_is_refused(vsee: Vsee, fields: dict[str, str], message: str) -> None:
    """The texts are [ours]."""
    assert refusal(vsee.post("/rooms", json=fields)) == bad_request(message)


def test_a_users_token_creates_no_room(vsee: Vsee) -> None:
    """An admin call."""
    token = vsee.sso()["token"]["token"]

    answer = vsee.post("/rooms", headers=vsee.token(token), json={"name": "Mine"})

    assert refusal(answer) == (403, '{"code": 403, "message": "This call needs the scope rooms:write."}')


def test_anybody_reads_rooms_who_names_the_account(portal: Portal) -> None:
    """A list with page and limit, one by its code, and who receives people there."""
    vsee = Vsee(portal)
    codes = [f"room{number}" for number in range(3)]
    for code in codes:
        assert vsee.post("/rooms", json={"name": f"Room {code}", "code": code}).status_code == 200
    john = vsee.sso(room_code="room1")

    first = vsee.get("/rooms.json?page=1&limit=2").json()
    second = vsee.get("/rooms?page=2&limit=2").json()
    one = data(vsee.get("/rooms/ROOM1.json"))
    providers = vsee.get("/rooms/room1/providers.json").json()

    assert (list(first), first["total_count"], len(first["data"])) == (["data", "total_count"], 3, 2)
    assert sorted(room["code"] for room in (*first["data"], *second["data"])) == codes
    assert list(one) == PUBLIC_ROOM
    assert (one["code"], one["slug"], one["name"]) == ("room1", "room1", "Room room1")
    assert all(isinstance(one[name], int) for name in ("created", "modified"))
    assert providers == {
        "data": [
            {"id": john["id"], "first_name": "John", "last_name": "Provider", "full_name": "John Provider"},
        ],
        "total_count": 1,
    }
    assert vsee.get("/rooms/room0/providers").json() == {"data": [], "total_count": 0}


def test_a_page_holds_no_more_than_a_hundred_rooms_and_the_next_one_goes_on(portal: Portal) -> None:
    """[ours]: whoever asks for more gets a hundred, and every room on some page."""
    fields = {"domain": "vclinic.example"}
    rooms = [portal.house.rooms.create(portal.account_id, fields | {"name": f"Room {n}"}) for n in range(101)]

    pages = [Vsee(portal).get(f"/rooms?page={page}&limit=250").json() for page in (1, 2, 3)]

    assert [len(page["data"]) for page in pages] == [100, 1, 0]
    assert {one["code"] for page in pages for one in page["data"]} == {room.code for room in rooms}
    assert {page["total_count"] for page in pages} == {101}


@pytest.mark.parametrize(
    ("domain", "door"),
    [({}, "/u/front?launch=1"), ({"domain": "vclinic.example"}, "/u/front?domain=vclinic.example&launch=1")],
)
def test_a_patient_who_is_sent_with_a_room_is_led_to_its_door(
    portal: Portal, domain: dict[str, str], door: str
) -> None:
    vsee = Vsee(portal)
    assert vsee.post("/rooms", json={"name": "Theirs", "code": "front", **domain}).status_code == 200
    ada = vsee.sso(type=200, code="ada", room_code="front")

    answer = portal.follow(f"/auth?sso_token={ada['token']['token']}")

    assert answer.headers["location"] == door
    assert "Theirs" in portal.follow(door).text


def test_what_there_is_not_is_not_found(vsee: Vsee, portal: Portal) -> None:
    """A room, a room's providers, another account's room, a path; a page that is no number."""
    assert Vsee(portal).post("/rooms", json={"name": "Theirs", "code": "theirs"}).status_code == 200

    assert refusal(vsee.get("/rooms/nowhere")) == (404, NO_ROOM)
    assert refusal(vsee.get("/rooms/theirs")) == (404, NO_ROOM)
    assert refusal(vsee.get("/rooms/%00/providers")) == (404, NO_ROOM)
    assert refusal(vsee.get("/nothing")) == (404, NO_ROUTE)
    assert refusal(vsee.get("/rooms?page=x")) == bad_request("page: must be a number.")


# --- POST /users/{id}/rooms -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["room_id", "room_ids", "room_ids[]", "room_code", "room_codes", "with commas"])
def test_a_user_is_assigned_to_rooms(portal: Portal, kind: str) -> None:
    """[ours]: how the body names them; the answer is the user with all of its rooms."""
    vsee = Vsee(portal)
    rooms = [data(vsee.post("/rooms", json={"name": f"Room {code}", "code": code})) for code in ("aaa", "bbb")]
    user = vsee.sso()
    ids, codes = [room["id"] for room in rooms], [room["code"] for room in rooms]
    kinds: dict[str, dict[str, Any]] = {
        "room_id": {"json": {"room_id": int(ids[0])}},
        "room_ids": {"json": {"room_ids": ids}},
        "room_ids[]": {"data": {"room_ids[]": ids}},
        "room_code": {"files": {"room_code": (None, codes[0])}},
        "room_codes": {"json": {"room_codes": codes}},
        "with commas": {"data": {"room_ids": ",".join(ids)}},
    }
    body = kinds[kind]

    answers = [data(vsee.post(f"/users/{user['id']}/rooms.json", **body)) for _ in range(2)]

    assert answers[0] == answers[1]
    assert list(answers[0]) == USER
    assert all(list(room) == USERS_ROOM for room in answers[0]["rooms"])
    assigned = {room["code"] for room in answers[0]["rooms"]}
    assert assigned == ({"aaa"} if kind in {"room_id", "room_code"} else {"aaa", "bbb"})
    assert {room["account_code"] for room in answers[0]["rooms"]} == {portal.account.slug}
    assert vsee.sso()["rooms"] == answers[0]["rooms"]


def test_a_provider_speaks_for_itself(portal: Portal) -> None:
    """`-` is whose token it is. That a member's token and another's id are refused is [ours]."""
    vsee = Vsee(portal)
    room = data(vsee.post("/rooms", json={"name": "Mine", "code": "mine"}))
    provider, member = vsee.sso(), vsee.sso(code="patient", type=200)
    body, own = {"room_id": room["id"]}, vsee.token(provider["token"]["token"])

    answer = vsee.post("/users/-/rooms", headers=own, json=body)

    assert [one["code"] for one in data(answer)["rooms"]] == ["mine"]
    not_theirs = '{"code": 403, "message": "A user\'s token speaks for that user alone, who must be a provider."}'
    refused = [
        vsee.post(f"/users/{member['id']}/rooms", headers=own, json=body),
        vsee.post("/users/-/rooms", headers=vsee.token(member["token"]["token"]), json=body),
    ]
    assert [refusal(one) for one in refused] == [(403, not_theirs)] * 2
    assert vsee.post("/users/-/rooms", json=body).status_code == 400
    # a client that sends its key with every call says by the token whom it means
    both = vsee.key | vsee.token(member["token"]["token"])
    assert data(vsee.post("/users/-/rooms", headers=both, json=body))["id"] == member["id"]
    gone = vsee.key | vsee.token("0" * 32)
    assert refusal(vsee.post("/users/-/rooms", headers=gone, json=body)) == (401, DENIED)
    assert vsee.post("/users/sso", headers=gone, json=JOHN).status_code == 200
    assert refusal(vsee.post("/users/-/rooms", headers=vsee.account_code, json=body)) == (401, DENIED)


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("user_id", "body", "expected"),
    [
        ("12345678", {"room_code": "known"}, (404, NO_USER)),
        ("%00", {"room_code": "known"}, (404, NO_USER)),
        ("{user}", {"room_code": "nowhere"}, (404, NO_ROOM)),
        ("{user}", {"room_id": "12345678"}, (404, NO_ROOM)),
        ("{user}", {"room_ids": ["x", "-1"]}, (404, NO_ROOM)),
        ("{user}", {}, bad_request("room_id, room_ids, room_code or room_codes: must name 1 to 20 rooms.")),
    ],
)
def test_an_assignment_that_cannot_be_is_refused(
    vsee: Vsee, user_id: str, body: dict[str, Any], expected: tuple[int, str]
) -> None:
    """Unknown user, unknown room, no room; nothing is assigned."""
    user = vsee.sso(code="without rooms")

    answer = vsee.post(f"/users/{user_id.format(user=user['id'])}/rooms", json=body)

    assert refusal(answer) == expected
    assert vsee.sso(code="without rooms")["rooms"] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/users"),
        ("GET", "/users.json"),
        ("GET", "/users/12345678.json"),
        ("PUT", "/users/12345678"),
        ("DELETE", "/users/12345678"),
        ("PATCH", "/rooms/abc"),
        ("POST", "/visits"),
        ("GET", "/intakes"),
    ],
)
def test_what_is_not_offered_says_so(vsee: Vsee, method: str, path: str) -> None:
    """501 in the vendor's shape, not a 404 that looks like a wrong address."""
    assert refusal(vsee.request(method, path)) == (501, NOT_OFFERED)


@pytest.mark.req("R01")
@pytest.mark.parametrize("action", ["GetItem", "TransactWriteItems"])
def test_an_outage_is_a_503_in_the_vendors_shape(vsee: Vsee, aws: AwsProxy, action: str) -> None:
    """Whoever cannot be judged is not called a stranger, and is told when to come back."""
    failing = calls_of(service="dynamodb", action=action, function="VseeFunction")

    with aws.fail(failing, "InternalServerError", status=500, times=3):
        answer = vsee.post("/users/sso", json={**JOHN, "code": f"new at an outage of {action}"})

    said = '{"code": 503, "message": "The service is briefly unavailable. Please try again."}'
    assert refusal(answer) == (503, said)
    assert answer.headers["retry-after"] == "1"


# --- the redirect -----------------------------------------------------------------------------------------


def auth(vsee: Vsee, token: str, *, base: str = "", cookie: str | None = None, **query: str) -> httpx.Response:
    """Follow {portal_base_url}auth?sso_token={token}&..., through the vendor's own path if there is one."""
    answer = vsee.portal.hub.get(
        f"{base}/auth",
        params={"sso_token": token, **query},
        headers={} if cookie is None else {"Cookie": f"__Host-vestibule={cookie}"},
    )
    if base:
        assert answer.status_code == 303
        vsee.portal.handed_out.note("SSO token", token)
        answer = vsee.portal.follow(answer.headers["location"], cookie=cookie)
    return answer


@pytest.mark.req("L06", "L13")
@pytest.mark.parametrize("base", ["", "/vc/next", "/vc/stable", "/VC/Next"])
def test_a_token_lets_its_user_in_as_often_as_it_is_brought(vsee: Vsee, clinic: Portal, base: str) -> None:
    """Two browsers, and later the API; each browser has a sign-in of its own."""
    user = vsee.sso()
    token = user["token"]["token"]

    answers = [auth(vsee, token, base=base, next="/providers/dashboard") for _ in range(2)]

    assert [(answer.status_code, answer.headers["location"]) for answer in answers] == [(303, "/dashboard")] * 2
    assert all(answer.headers["referrer-policy"] == "no-referrer" for answer in answers)
    one, two = (cookie_of(answer) or "" for answer in answers)
    assert one != two
    assert "SameSite=Lax" in answers[0].headers["set-cookie"]
    assert clinic.follow("/logout", cookie=one).status_code == 303
    assert not clinic.is_signed_in(one)
    assert clinic.is_signed_in(two)
    assert vsee.post("/users/-/rooms", headers=vsee.token(token), json={}).status_code == 400  # known, but no room


@pytest.mark.req("L07")
@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/providers/dashboard", "/dashboard"),
        ("/vc/next/providers/dashboard", "/dashboard"),
        ("/", "/dashboard"),
        ("/visits/start/67258", "/dashboard"),
        ("/join/123456789?launch=1", "/join/123456789?launch=1"),
        ("//evil.example", "/dashboard"),
        ("///evil.example", "/dashboard"),
        ("/\\evil.example", "/dashboard"),
        ("\\\\evil.example", "/dashboard"),
        ("/dashboard\\..\\..\\evil.example", "/dashboard"),
        ("%2f%2fevil.example", "/dashboard"),
        ("/%2f%2fevil.example", "/dashboard"),
        ("/%5cevil.example", "/dashboard"),
        ("https://evil.example/", "/dashboard"),
        ("https:evil.example", "/dashboard"),
        ("https:/evil.example", "/dashboard"),
        ("//user@evil.example", "/dashboard"),
        ("{hub}@evil.example/", "/dashboard"),
        ("{hub}.evil.example/", "/dashboard"),
        ("https://evil.example/{hub}/", "/dashboard"),
        ("@evil.example", "/dashboard"),
        (".evil.example", "/dashboard"),
        ("//evil\u3002example", "/dashboard"),
        ("/\uff0f/evil.example", "/dashboard"),
        ("javascript:alert(1)", "/dashboard"),
        ("JaVaScRiPt://%0aalert(1)", "/dashboard"),
        ("data:text/html,x", "/dashboard"),
        ("/dash\r\nboard", "/dashboard"),
        ("/dashboard\r\nSet-Cookie: a=b", "/dashboard"),
        ("/\t/evil.example", "/dashboard"),
        ("", "/dashboard"),
    ],
)
def test_next_stays_on_the_hub(vsee: Vsee, target: str, expected: str) -> None:
    """A path without a page, and whatever is no path of ours, means the dashboard, and no header but the address."""
    token = vsee.sso()["token"]["token"]

    answer = auth(vsee, token, next=target.format(hub=vsee.portal.hub_url), disable_navigation="1")

    assert (answer.status_code, answer.headers["location"]) == (303, expected)


@pytest.mark.req("L15")
def test_what_is_carried_is_carried(vsee: Vsee) -> None:
    """ScrollTo and launch survive, whether they are part of next or stand beside it."""
    token = vsee.sso()["token"]["token"]

    beside = auth(vsee, token, next="/providers/dashboard", scrollTo="12345678", launch="1")
    within = auth(vsee, token, next="/providers/dashboard?scrollTo=12345678&launch=1")

    assert {one.headers["location"] for one in (beside, within)} == {"/dashboard?scrollTo=12345678&launch=1"}


@pytest.mark.req("L05")
@pytest.mark.parametrize(
    "headers", [{"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}, {"X-Moz": "prefetch"}]
)
def test_a_prefetch_signs_nobody_in(vsee: Vsee, clinic: Portal, headers: dict[str, str]) -> None:
    """And spends nothing; a HEAD neither."""
    token = vsee.sso()["token"]["token"]
    link = f"/auth?sso_token={token}&invalidate=1"

    early = [clinic.follow(link, headers=headers), clinic.follow(link, method="HEAD")]

    assert [cookie_of(answer) for answer in early] == [None, None]
    assert clinic.follow(link).status_code == 303


@pytest.mark.req("L08", "L20")
def test_what_lets_nobody_in_is_one_page(vsee: Vsee, clinic: Portal, portal: Portal) -> None:
    """Unknown, malformed, missing, another account's, a login URI's GUID, a user's who was disabled."""
    disabled = vsee.sso(code="soon gone")
    clinic.api.patch(f"/v1/users/{disabled['id']}", json={"status": "disabled"})
    tokens = [
        "0" * 32,
        "x",
        "",
        Vsee(portal).sso()["token"]["token"],
        str(clinic.issue()["login_guid"]),
        disabled["token"]["token"],
    ]

    answers = [auth(vsee, token) for token in tokens]

    assert [(answer.status_code, cookie_of(answer)) for answer in answers] == [(403, None)] * len(tokens)
    assert all("This sign-in link no longer works" in answer.text for answer in answers)


def test_a_token_is_no_login_uri(vsee: Vsee, clinic: Portal) -> None:
    """Nor the other way round: one kind is never taken for another."""
    token = vsee.sso()["token"]["token"]

    assert clinic.follow(f"/login/{token}").status_code == 403
    assert auth(vsee, token).status_code == 303


@pytest.mark.req("L01", "L09")
def test_invalidate_spends_it_at_login_and_leaves_it_good_for_the_api(vsee: Vsee, clinic: Portal) -> None:
    """[ours]: the parameter's name. The same browser goes on, everybody else is refused."""
    user = vsee.sso()
    token = user["token"]["token"]

    first = auth(vsee, token, invalidate="1")
    cookie = cookie_of(first)
    again = auth(vsee, token, invalidate="1", cookie=cookie)
    other = auth(vsee, token)

    assert first.status_code == 303
    assert cookie
    assert (again.status_code, cookie_of(again)) == (303, None)
    assert other.status_code == 403
    assert clinic.is_signed_in(cookie)
    assert vsee.post("/users/-/rooms", headers=vsee.token(token), json={}).status_code == 400


def test_an_account_may_have_every_token_spent_at_login(open_portal: Callable[..., Portal]) -> None:
    """A setting of the account makes it once, without any parameter."""
    strict = Vsee(open_portal(sso_token_once=True))
    token = strict.sso()["token"]["token"]

    assert [auth(strict, token).status_code for _ in range(2)] == [303, 403]


@pytest.mark.req("L13")
def test_an_arrival_replaces_whoever_was_signed_in(vsee: Vsee, clinic: Portal) -> None:
    """And the page says who is now."""
    before = clinic.sign_in()
    token = vsee.sso()["token"]["token"]

    answer = auth(vsee, token, cookie=before)

    assert urlsplit(answer.headers["location"]).query == "switched=1"
    assert not clinic.is_signed_in(before)
    assert clinic.is_signed_in(cookie_of(answer) or "")


@pytest.mark.req("L14")
def test_signing_out_everywhere_ends_tokens_too(vsee: Vsee, clinic: Portal) -> None:
    """At the hub and at the API; a new one is good."""
    user = vsee.sso()
    assert clinic.api.delete(f"/v1/users/{user['id']}/sign-ins").status_code == 204

    assert auth(vsee, user["token"]["token"]).status_code == 403
    assert refusal(vsee.post("/users/-/rooms", headers=vsee.token(user["token"]["token"]), json={})) == (401, DENIED)
    assert auth(vsee, vsee.sso()["token"]["token"]).status_code == 303
