"""The native API's functions, each loaded as Lambda loads it, over the tables of one house."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import pytest

from tests.support.events import CONTEXT, caller, header, json_of, native_event
from tests.support.house import add_user, open_account
from tests.support.template import resources
from vestibule.clock import MINUTE, to_rfc3339
from vestibule.domain import scopes
from vestibule.domain.login_uris import Browser

if TYPE_CHECKING:
    from tests.support.house import FakeClock, LoadFunction, MotoAws, Wire
    from vestibule.model import Account, User
    from vestibule.settings import Settings
    from vestibule.wiring import House

FOREIGN = "https://evil.example"
UNKNOWN = "99999999"
GUID = "0" * 32


class Call(Protocol):
    """Calls a route as the account's client; gives status and JSON."""

    def __call__(self, method: str, path: str, body: Any = None, **event: Any) -> tuple[int, Any]:
        """Call it."""


def _routes() -> list[tuple[str, str, str]]:
    """Return (method, resource, folder of the function) of every route of the native API behind the authorizer."""
    found = []
    for function in resources("AWS::Serverless::Function").values():
        folder = function["Properties"]["CodeUri"].removeprefix("functions/")
        for event in function["Properties"].get("Events", {}).values():
            properties = event["Properties"]
            if properties.get("RestApiId") == {"Ref": "NativeApi"} and "Auth" not in properties:
                found.append((properties["Method"].upper(), properties["Path"], folder))
    return sorted(found)


ROUTES = _routes()


def _matching(method: str, path: str) -> tuple[str, str, dict[str, str]]:
    for known, resource, folder in ROUTES:
        segments = list(zip(resource.split("/"), path.split("/"), strict=False))
        if known != method or resource.count("/") != path.count("/"):
            continue
        if all(one == other or one.startswith("{") for one, other in segments):
            return resource, folder, {one[1:-1]: other for one, other in segments if one.startswith("{")}
    raise AssertionError(f"the template has no route {method} {path}")


@pytest.fixture
def user(house: House, account: Account) -> User:
    return add_user(house, account, external_id="X-17", email="maria@example.org")


@pytest.fixture
def call(function: LoadFunction, account: Account) -> Call:
    def make(method: str, path: str, body: Any = None, **event: Any) -> tuple[int, Any]:
        resource, folder, values = _matching(method, path)
        event.setdefault("authorizer", caller(account.account_id))
        answer = function(folder)(
            native_event(method, path, body=body, resource=resource, path_values=values, **event), CONTEXT
        )
        assert answer["body"].encode() is not None
        return answer["statusCode"], json_of(answer) if answer["body"] else None

    return make


def test_every_route_of_the_template_is_known_to_its_function(call: Call) -> None:
    assert len(ROUTES) == 49
    for method, resource, _ in ROUTES:
        _, answer = call(method, resource.replace("{guid}", GUID).replace("{", "").replace("}", ""), body={})
        assert answer is None or answer.get("code") != "route_not_found"


@pytest.mark.parametrize(("method", "resource", "folder"), ROUTES)
def test_no_route_serves_a_caller_without_a_scope(
    call: Call, account: Account, method: str, resource: str, folder: str
) -> None:
    path = resource.replace("{guid}", GUID).replace("{", "").replace("}", "")
    said = caller(account.account_id, granted=())
    status, answer = call(method, path, body={}, authorizer=said)
    assert (status, answer["code"]) == (403, "insufficient_scope")
    # and exactly one scope is enough
    enough = [s for s in scopes.ALL if call(method, path, {}, authorizer=caller(UNKNOWN, granted=(s,)))[0] != 403]
    assert len(enough) == 1
    assert enough[0].endswith(":read") is (method == "GET")


@pytest.mark.parametrize(("method", "resource", "folder"), ROUTES)
@pytest.mark.req("P01", "R01")
def test_every_route_answers_an_outage_with_503_and_retry_after(
    function: LoadFunction, account: Account, wire: Wire, method: str, resource: str, folder: str
) -> None:
    for operation in ("GetItem", "PutItem", "UpdateItem", "Query", "BatchGetItem", "TransactWriteItems"):
        wire.fail(operation, "InternalServerError", times=5)
    values = {
        "guid": GUID,
        "user_id": "10000001",
        "client_id": "1-x",
        "room_id": "10000002",
        "session_id": "10000003",
        "participant_id": "10000004",
        "registrant_id": "10000005",
        "secret_id": "1-x",
    }
    path = resource.format(**values)
    body: dict[str, Any] = {}
    if method in {"POST", "PATCH"}:
        body = {
            "name": "x",
            "scopes": ["users:read"],
            "full_name": "x",
            "user_id": "10000001",
            "title": "x",
            "host": {"user_id": "10000001"},
            "participants": [{"full_name": "x"}],
            "email": "x@example.org",
            "registrants": [{"name": "x", "email": "x@example.org"}],
        }
        shape = {
            "users": ["full_name"],
            "api_clients": ["name", "scopes"],
            "account": ["name"],
            "rooms": ["name"],
            "session_create": ["title", "host"],
            "sessions": ["title"],
            "participants": ["participants"] if method == "POST" else ["full_name"],
            "app_secrets": ["name"],
            "registrant_create": ["registrants"] if resource.endswith("/batch") else ["name", "email"],
        }
        body = {n: body[n] for n in shape.get(folder, ["user_id"])} if "rotate" not in resource else {}
    answer = function(folder)(
        native_event(method, path, resource=resource, body=body, path_values=values, account_id=account.account_id),
        CONTEXT,
    )
    assert answer["statusCode"] == 503
    assert json_of(answer)["code"] == "temporarily_unavailable"
    assert header(answer, "retry-after") == "1"


# --- users ---


def test_a_user_is_made_shown_changed_and_removed(call: Call, clock: FakeClock) -> None:
    # when
    status, made = call("POST", "/v1/users", {"full_name": "Ada", "external_id": "A-1", "time_zone": "Europe/London"})
    # then
    assert status == 201
    assert made == {
        "id": made["id"],
        "external_id": "A-1",
        "full_name": "Ada",
        "email": None,
        "role": "member",
        "time_zone": "Europe/London",
        "locale": None,
        "username": None,
        "status": "active",
        "created_at": to_rfc3339(clock()),
        "updated_at": to_rfc3339(clock()),
    }
    path = f"/v1/users/{made['id']}"
    assert call("GET", path) == (200, made)

    clock.advance(1)
    status, changed = call("PATCH", path, {"role": "guest", "time_zone": None, "status": "disabled"})
    assert status == 200
    assert changed == made | {
        "role": "guest", "time_zone": None, "status": "disabled", "updated_at": to_rfc3339(clock()),
    }  # fmt: skip
    assert call("PATCH", path, {})[0] == 200

    assert call("DELETE", path) == (204, None)
    assert call("GET", path)[0] == 404


def test_a_password_goes_in_and_never_out(call: Call) -> None:
    status, made = call("POST", "/v1/users", {"full_name": "Ada", "username": "ada", "password": "long enough"})
    assert status == 201
    assert "password" not in str(made)
    assert "long enough" not in str(made)


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "full_name", "required"),
        ({"full_name": ""}, "full_name", "invalid_length"),
        ({"full_name": "a\u202eb"}, "full_name", "invalid_character"),
        ({"full_name": "a\x00b"}, "full_name", "invalid_character"),
        ({"full_name": "x", "role": "admin"}, "role", "wrong_type"),
        ({"full_name": "x", "email": "x"}, "email", "invalid_email"),
        ({"full_name": "x", "password": "short"}, "password", "invalid_length"),
        ({"full_name": "x", "status": "active"}, "status", "unknown_member"),
        ({"full_name": "x", "id": "1"}, "id", "unknown_member"),
        ({"full_name": "x", "account_id": "1"}, "account_id", "unknown_member"),
        ({"full_name": "x", "password_hash": "x"}, "password_hash", "unknown_member"),
        ({"full_name": None}, "full_name", "wrong_type"),
    ],
)
@pytest.mark.req("P04")
def test_a_user_that_breaks_a_rule_is_refused_and_not_written(
    call: Call, moto_aws: MotoAws, settings: Settings, body: dict[str, Any], field: str, code: str
) -> None:
    before = moto_aws.stored(settings.directory_table)
    status, answer = call("POST", "/v1/users", body)
    assert (status, answer["code"]) == (422, "invalid_request")
    assert [(error["field"], error["code"]) for error in answer["errors"]] == [(field, code)]
    assert moto_aws.stored(settings.directory_table) == before


def test_a_required_name_cannot_be_cleared(call: Call, user: User) -> None:
    for member in ("full_name", "role", "status"):
        status, answer = call("PATCH", f"/v1/users/{user.user_id}", {member: None})
        assert status == 422
        assert answer["errors"][0]["field"] == member


def test_a_taken_name_is_a_conflict(call: Call, user: User) -> None:
    status, answer = call("POST", "/v1/users", {"full_name": "x", "external_id": "X-17"})
    assert (status, answer["code"]) == (409, "external_id_taken")
    assert user.user_id not in str(answer)


def test_users_are_found_by_what_the_portal_knows(call: Call, user: User) -> None:
    for query in (
        {"external_id": "X-17"},
        {"email": "MARIA@example.org"},
        {"email": "maria@example.org", "limit": "1"},
    ):
        status, answer = call("GET", "/v1/users", query=query)
        assert status == 200
        assert [one["id"] for one in answer["items"]] == [user.user_id]
        assert answer["cursor"] is None
    for query in ({"external_id": "nobody"}, {"email": "nobody@example.org"}, {"email": "x" * 5_000},
                  {"external_id": "x" * 5_000}, {"email": ""}, {"external_id": ""}):  # fmt: skip
        assert call("GET", "/v1/users", query=query) == (200, {"items": [], "cursor": None})


@pytest.mark.req("P06")
def test_a_list_goes_on_where_the_cursor_says(call: Call, house: House, account: Account) -> None:
    made = {add_user(house, account).user_id for _ in range(7)}
    seen: list[str] = []
    query = {"limit": "3"}
    while True:
        status, answer = call("GET", "/v1/users", query=query)
        assert status == 200
        seen += [one["id"] for one in answer["items"]]
        if answer["cursor"] is None:
            break
        query["cursor"] = answer["cursor"]
    assert sorted(seen) == sorted(made)


@pytest.mark.req("P06")
def test_another_clients_cursor_is_refused(call: Call, house: House, account: Account) -> None:
    for _ in range(3):
        add_user(house, account)
    _, answer = call("GET", "/v1/users", query={"limit": "1"})
    other = caller(account.account_id, client_id="another")
    status, refused = call("GET", "/v1/users", query={"cursor": answer["cursor"]}, authorizer=other)
    assert (status, refused["errors"][0]["code"]) == (422, "invalid_cursor")


# --- login URIs ---


def test_a_login_uri_is_issued_on_the_accounts_host(call: Call, clock: FakeClock, user: User) -> None:
    # when
    status, answer = call(
        "POST",
        "/v1/login-uris",
        {"external_id": "X-17", "redirect_to_uri_on_expiry": "https://portal.example/bye", "next": "/dashboard"},
    )
    # then
    assert status == 201
    guid = answer["login_guid"]
    assert answer == {
        "login_guid": guid,
        "login_uri": f"https://clinic.hub.vestibule.example/login/{guid}",
        "redirect_to_uri_on_expiry": "https://portal.example/bye",
        "user_id": user.user_id,
        "expires_at": to_rfc3339(clock() + 15_000),
    }
    assert call("GET", f"/v1/login-uris/{guid}")[1]["state"] == "issued"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["user_id"]),
        ({"user_id": "1", "external_id": "1"}, ["user_id"]),
        ({"user_id": ""}, ["user_id"]),
        ({"user_id": 17}, ["user_id"]),
        ({"user_id": "U", "redirect_to_uri_on_expiry": FOREIGN}, ["redirect_to_uri_on_expiry"]),
        ({"user_id": "U", "next": "//evil.example"}, ["next"]),
        ({"user_id": "U", "next": "https://clinic.hub.vestibule.example/dashboard"}, ["next"]),
        ({"user_id": "U", "next_path": "/dashboard"}, ["next_path"]),
        ({"user_id": "U", "redirect_to_uri_on_expiry": ""}, ["redirect_to_uri_on_expiry"]),
        ({"user_id": "U", "redirect_to_uri_on_expiry": FOREIGN, "next": "x"}, ["redirect_to_uri_on_expiry", "next"]),
    ],
)
@pytest.mark.req("L07", "P04")
def test_a_broken_wish_issues_nothing(
    call: Call, user: User, moto_aws: MotoAws, settings: Settings, body: dict[str, Any], fields: list[str]
) -> None:
    if body.get("user_id") == "U":
        body = body | {"user_id": user.user_id}
    status, answer = call("POST", "/v1/login-uris", body)
    assert status == 422
    assert [error["field"] for error in answer["errors"]] == fields
    assert moto_aws.stored(settings.passes_table) == []


@pytest.mark.parametrize(
    "who", [{"user_id": UNKNOWN}, {"external_id": "nobody"}, {"user_id": "x" * 10_000}, {"external_id": "x" * 10_000}]
)
@pytest.mark.req("L16", "P04")
def test_an_unknown_user_is_not_found(call: Call, who: dict[str, str]) -> None:
    status, answer = call("POST", "/v1/login-uris", who)
    assert (status, answer["code"]) == (404, "user_not_found")


@pytest.mark.req("L16")
def test_a_disabled_user_is_forbidden(call: Call, house: House, account: Account, user: User) -> None:
    house.users.change(account.account_id, user.user_id, {"status": "disabled"})
    status, answer = call("POST", "/v1/login-uris", {"user_id": user.user_id})
    assert (status, answer["code"]) == (403, "user_disabled")


def test_the_state_shows_each_moment_once_it_has_come(call: Call, house: House, clock: FakeClock, user: User) -> None:
    # given
    _, issued = call("POST", "/v1/login-uris", {"user_id": user.user_id})
    guid, path = issued["login_guid"], f"/v1/login-uris/{issued['login_guid']}"
    begun = clock()
    # when
    clock.advance(1_000)
    house.login_uris.redeem(guid, slug="clinic", browser=Browser("a", "b"), held=None)
    # then
    assert call("GET", path) == (
        200,
        {
            "login_guid": guid,
            "user_id": user.user_id,
            "state": "redeemed",
            "created_at": to_rfc3339(begun),
            "expires_at": to_rfc3339(begun + 15_000),
            "redeemed_at": to_rfc3339(begun + 1_000),
            "idle_until": to_rfc3339(begun + 1_000 + 240 * MINUTE),
            "live_until": to_rfc3339(begun + 1_000 + 1_440 * MINUTE),
            "revoked_at": None,
            "ended_at": None,
        },
    )
    # when
    clock.advance(1_000)
    assert call("DELETE", path) == (204, None)
    # then
    _, state = call("GET", path)
    assert (state["state"], state["revoked_at"]) == ("revoked", to_rfc3339(begun + 2_000))
    assert call("DELETE", path) == (204, None)


@pytest.mark.parametrize("guid", [GUID, "x", "0" * 31, GUID + "0", "G" * 32, "%00", "..", "x" * 5_000])
@pytest.mark.req("P04", "P05")
def test_an_unknown_guid_is_not_found(call: Call, guid: str) -> None:
    for method in ("GET", "DELETE"):
        status, answer = call(method, f"/v1/login-uris/{guid}")
        assert (status, answer["code"]) == (404, "login_uri_not_found")


# --- the account ---


def test_an_account_shows_and_changes_itself(call: Call, account: Account) -> None:
    status, shown = call("GET", "/v1/account")
    assert status == 200
    assert (shown["id"], shown["slug"]) == (account.account_id, "clinic")
    assert shown["hub_url"] == "https://clinic.hub.vestibule.example"
    assert (shown["idle_timeout_minutes"], shown["redirect_uris"]) == (240, ["https://portal.example"])

    status, changed = call(
        "PATCH", "/v1/account", {"name": "New", "colors": {"accent": "#112233"}, "redirect_uris": None}
    )
    assert status == 200
    assert changed == shown | {"name": "New", "colors": {"accent": "#112233"}, "redirect_uris": []}
    assert call("GET", "/v1/account") == (200, changed)


@pytest.mark.parametrize(
    "body",
    [{"name": None}, {"name": ""}, {"slug": None}, {"slug": "-"}, {"status": "disabled"}, {"account_id": "1"},
     {"idle_timeout_minutes": 0}, {"idle_timeout_minutes": "240"}, {"idle_timeout_minutes": 1.5},
     {"idle_timeout_minutes": 10**30}, {"redirect_uris": "https://portal.example"}, {"redirect_uris": [FOREIGN, 5]},
     {"redirect_uris": ["https://portal.example?x"]}, {"colors": {"accent": "red"}}, {"colors": []},
     {"navigation": [{"label": "x"}]}, {"navigation": [{"label": "x", "url": "https://a.example", "z": 1}]},
     {"revoke_on_reuse": "yes"}, {"logo_url": "javascript:alert(1)"}],
    ids=str,
)  # fmt: skip
@pytest.mark.req("P04")
def test_a_broken_setting_changes_nothing(call: Call, body: dict[str, Any]) -> None:
    before = call("GET", "/v1/account")
    status, answer = call("PATCH", "/v1/account", {"idle_timeout_minutes": 60, **body})
    assert (status, answer["code"]) == (422, "invalid_request")
    assert answer["errors"]
    assert call("GET", "/v1/account") == before


def test_a_taken_slug_is_a_conflict(call: Call, house: House) -> None:
    open_account(house, "other")
    status, answer = call("PATCH", "/v1/account", {"slug": "other"})
    assert (status, answer["code"]) == (409, "slug_taken")


# --- API clients ---


@pytest.mark.req("P07")
def test_a_client_shows_its_secret_once(call: Call, house: House, clock: FakeClock) -> None:
    # when
    status, made = call("POST", "/v1/account/clients", {"name": "portal", "scopes": ["users:read"]})
    # then
    assert status == 201
    assert house.clients.authenticate(made["client_id"], made["client_secret"]).scopes
    assert made["secrets"] == [{"created_at": to_rfc3339(clock()), "expires_at": None}]
    _, listed = call("GET", "/v1/account/clients")
    assert listed == {"items": [{name: value for name, value in made.items() if name != "client_secret"}]}

    # when
    status, rotated = call("POST", f"/v1/account/clients/{made['client_id']}/rotate")
    # then
    assert status == 200
    assert rotated["client_secret"] != made["client_secret"]
    for secret in (made["client_secret"], rotated["client_secret"]):
        assert house.clients.authenticate(made["client_id"], secret).scopes
        assert secret not in str(call("GET", "/v1/account/clients"))

    # when
    assert call("POST", f"/v1/account/clients/{made['client_id']}/rotate", {"overlap_minutes": 0})[0] == 200
    assert call("DELETE", f"/v1/account/clients/{made['client_id']}") == (204, None)
    assert call("GET", "/v1/account/clients") == (200, {"items": []})


@pytest.mark.parametrize("overlap", [-1, 43_201, 10**12, 10**40, "5", 1.5, True])
@pytest.mark.req("P04")
def test_an_overlap_of_no_sense_is_refused(call: Call, overlap: Any) -> None:
    _, made = call("POST", "/v1/account/clients", {"name": "portal", "scopes": ["users:read"]})
    status, answer = call("POST", f"/v1/account/clients/{made['client_id']}/rotate", {"overlap_minutes": overlap})
    assert (status, answer["errors"][0]["field"]) == (422, "overlap_minutes")
    _, listed = call("GET", "/v1/account/clients")
    assert len(listed["items"][0]["secrets"]) == 1


@pytest.mark.parametrize(
    "body",
    [{}, {"name": "x"}, {"name": "x", "scopes": []}, {"name": "x", "scopes": ["admin"]}, {"name": "", "scopes": []},
     {"name": "x", "scopes": "users:read"}, {"name": "x", "scopes": ["users:read"], "client_id": "1"}],
    ids=str,
)  # fmt: skip
@pytest.mark.req("P04")
def test_a_broken_client_is_refused(call: Call, body: dict[str, Any]) -> None:
    assert call("POST", "/v1/account/clients", body)[0] == 422
    assert call("GET", "/v1/account/clients") == (200, {"items": []})


# --- everything of another account's ---


@pytest.mark.req("P05")
def test_another_accounts_objects_are_not_found(call: Call, house: House, function: LoadFunction) -> None:
    # given
    other = open_account(house, "other")
    foreign = add_user(house, other, external_id="Y-1")
    client, _ = house.clients.create(other.account_id, "portal", scopes.ALL)
    issued = house.login_uris.issue(other, user_id=foreign.user_id)
    # when, then
    for method, path, body in (
        ("GET", f"/v1/users/{foreign.user_id}", None),
        ("PATCH", f"/v1/users/{foreign.user_id}", {"full_name": "x"}),
        ("DELETE", f"/v1/users/{foreign.user_id}", None),
        ("DELETE", f"/v1/users/{foreign.user_id}/sign-ins", None),
        ("POST", "/v1/login-uris", {"user_id": foreign.user_id}),
        ("POST", "/v1/login-uris", {"external_id": "Y-1"}),
        ("GET", f"/v1/login-uris/{issued.guid}", None),
        ("DELETE", f"/v1/login-uris/{issued.guid}", None),
        ("POST", f"/v1/account/clients/{client.client_id}/rotate", None),
        ("DELETE", f"/v1/account/clients/{client.client_id}", None),
    ):
        status, answer = call(method, path, body)
        assert status == 404, (method, path)
        assert answer["code"].endswith("_not_found")
    assert house.users.get(other.account_id, foreign.user_id) == foreign
    assert house.clients.list_of(other.account_id) == [client]
    assert call("GET", "/v1/users", query={"external_id": "Y-1"})[1]["items"] == []


def test_locations_lead_to_what_was_made(function: LoadFunction, account: Account, user: User) -> None:
    for folder, path, body in (
        ("users", "/v1/users", {"full_name": "x"}),
        ("login_uri_issue", "/v1/login-uris", {"user_id": user.user_id}),
        ("api_clients", "/v1/account/clients", {"name": "x", "scopes": ["users:read"]}),
    ):
        answer = function(folder)(native_event("POST", path, body=body, account_id=account.account_id), CONTEXT)
        made = json_of(answer)
        name = made.get("login_guid") or made.get("client_id") or made.get("id")
        assert urlsplit(header(answer, "location") or "").path == f"{path}/{name}"
