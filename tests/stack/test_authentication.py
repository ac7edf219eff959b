"""Who calls: Basic and bearer credentials at the API's door, and what it costs to check them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.problems import assert_problem
from tests.support.proxy import calls_of
from vestibule.domain import scopes

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.support.portal import Portal, Web
    from tests.support.proxy import AwsProxy

ASKED_WHO = calls_of(function="AuthorizerFunction")


def test_basic_and_bearer_open_the_same_doors(portal: Portal) -> None:
    # given
    by_basic, by_bearer = portal.api, portal.bearer()

    # then
    for api in (by_basic, by_bearer):
        assert api.get("/v1/account").json()["id"] == portal.account_id
        assert api.post("/v1/users", json={"full_name": "Ada"}).status_code == 201
        assert api.post("/securevideo/login/12345678").status_code == 404  # known here, unlike the user


# Each of these a door refuses that judges by itself; for a refusal of the native API's authorizer the emulator
# starts a new process every time, so that fewer of them are asked there.
PROVING_NOTHING: list[bytes] = [
    b"Basic",
    b"Basic !",
    b"Basic Zm9v",
    b"Basic Og==",
    b"Basic " + b"A" * 9_000,
    b"basic \x80\xff",
    b"Bearer",
    b"Bearer x",
    b"Bearer a.b.c",
    b"Bearer " + b"A" * 6_000,
    b"Digest username=x",
    b"Negotiate YII=",
]


@pytest.mark.req("P01")
def test_what_proves_nobody_is_refused_in_one_way(portal: Portal, web: httpx.Client) -> None:
    def ask(method: str, path: str, header: bytes | None) -> httpx.Response:
        sent: dict[bytes, bytes] = {} if header is None else {b"Authorization": header}
        return web.request(method, portal.api.base_url + path, headers=sent)

    for header in (None, b"", *PROVING_NOTHING):
        answer = ask("POST", "/securevideo/login/12345678", header)
        assert answer.status_code == 401, header
        assert answer.json() == {"Message": "Authorization has been denied for this request."}
    for header in (None, b"", b"Basic Zm9v", b"Bearer a.b.c", b"Digest username=x"):
        answer = ask("GET", "/v1/users", header)
        assert_problem(answer, 401, "invalid_credentials")
        assert "www-authenticate" in answer.headers


@pytest.mark.req("P01")
def test_an_unknown_client_a_wrong_secret_and_another_clients_secret_look_alike(portal: Portal) -> None:
    # given
    client_id, secret = portal.create_client()
    credentials = {
        "wrong secret": (portal.client_id, "x" * 43),
        "another client's secret": (portal.client_id, secret),
        "unknown client": (f"{portal.account_id}-aaaaaaaaaa", secret),
        "unknown account": (f"1{portal.account_id}-{client_id.partition('-')[2]}", secret),
        "no account": ("nobody", secret),
        "no client": ("", secret),
        "no secret": (portal.client_id, ""),
        "digits that are not ASCII": ("\u0661\u0662-x", secret),
        "a NUL": ("1-", "\x00"),
    }

    # when
    at_dialect = [portal.basic(*one).post("/securevideo/login/1") for one in credentials.values()]
    chosen = ("wrong secret", "unknown client", "no account")
    at_native = [portal.basic(*credentials[what]).get("/v1/users") for what in chosen]

    # then
    assert {(answer.status_code, answer.text) for answer in at_dialect} == {(401, at_dialect[0].text)}
    documents = [assert_problem(answer, 401, "invalid_credentials") for answer in at_native]
    assert len({tuple((name, str(d[name])) for name in d if name != "request_id") for d in documents}) == 1


def test_scopes_are_what_it_may_do(portal: Portal) -> None:
    # given
    user_id = portal.create_user(full_name="Mia Lindqvist")["id"]
    guid = portal.issue(user_id)["login_guid"]
    plan = {"title": "Check-up", "host": {"user_id": user_id}, "starts_at": "2199-06-01T09:00:00Z"}
    planned = portal.api.post("/v1/sessions", json={**plan, "registration": {}})
    session = f"/v1/sessions/{planned.json()['id']}"

    calls: dict[str, Callable[[Web], httpx.Response]] = {
        scopes.ACCOUNT_READ: lambda api: api.get("/v1/account"),
        scopes.ACCOUNT_WRITE: lambda api: api.patch("/v1/account", json={"name": "x"}),
        scopes.CLIENTS_WRITE: lambda api: api.post("/v1/account/clients", json={"name": "x", "scopes": ["users:read"]}),
        scopes.USERS_READ: lambda api: api.get(f"/v1/users/{user_id}"),
        scopes.USERS_WRITE: lambda api: api.patch(f"/v1/users/{user_id}", json={"full_name": "x"}),
        scopes.ROOMS_READ: lambda api: api.get("/v1/rooms"),
        scopes.ROOMS_WRITE: lambda api: api.post("/v1/rooms", json={"name": "x"}),
        scopes.LOGIN_URIS_READ: lambda api: api.get(f"/v1/login-uris/{guid}"),
        scopes.LOGIN_URIS_WRITE: lambda api: api.post("/v1/login-uris", json={"user_id": user_id}),
        scopes.SESSIONS_READ: lambda api: api.get(session),
        scopes.SESSIONS_WRITE: lambda api: api.post("/v1/sessions", json=plan),
        scopes.EMBEDS_WRITE: lambda api: api.post(f"{session}/embeds", json={"user_id": "x", "user_name": "x"}),
        scopes.APP_SECRETS_WRITE: lambda api: api.post("/v1/account/app-secrets", json={"name": "x"}),
        scopes.REGISTRANTS_READ: lambda api: api.get(f"{session}/registrants"),
        scopes.REGISTRANTS_WRITE: lambda api: api.post(
            f"{session}/registrants", json={"email": "x@example.org", "name": "x"}
        ),
        scopes.ATTENDANCE_READ: lambda api: api.get(f"{session}/attendance"),
    }
    assert calls.keys() == set(scopes.ALL)

    for one, call in calls.items():
        # given
        alone = portal.bearer(portal.access_token(scope=one))
        all_others = portal.bearer(portal.access_token(scope=" ".join(set(scopes.ALL) - {one})))

        # when
        allowed, refused = call(alone), call(all_others)

        # then: it takes this one, and no other
        assert allowed.is_success, allowed.text
        assert_problem(refused, 403, "insufficient_scope")
        # and a dialect asks for the same
        at_dialect = [api.post(f"/securevideo/login/{user_id}").status_code for api in (alone, all_others)]
        assert at_dialect == ([201, 403] if one == scopes.LOGIN_URIS_WRITE else [403, 201])


@pytest.mark.req("P01")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/v1"),
        ("GET", "/v1/"),
        ("GET", "/v1/nothing"),
        ("GET", "/v2/users"),
        ("POST", "/v1/account"),
        ("PUT", "/v1/users"),
        ("PUT", "/v1/users/12345678"),
        ("POST", "/v1/users/12345678"),
        ("PATCH", "/v1/login-uris/x"),
        ("GET", "/v1/users/12345678/sign-ins"),
        ("GET", "/v1/users/12345678/sign-ins/more"),
        ("GET", "/v1/oauth/token"),
        ("POST", "/.well-known/jwks.json"),
        ("GET", "/.well-known/openid-configuration"),
        ("PROPFIND", "/v1/users"),
        ("GET", "/v1/%2e%2e/users"),
        ("GET", "//v1//nothing"),
    ],
)
def test_what_is_no_route_is_not_found_with_and_without_credentials(portal: Portal, method: str, path: str) -> None:
    for api in (portal.anonymous(), portal.api):
        assert_problem(api.request(method, portal.api.base_url + path), 404, "route_not_found")


@pytest.mark.req("P01")
def test_the_authorizers_yes_for_one_route_does_not_open_another(portal: Portal) -> None:
    # given: a yes that is remembered under this header
    reader = portal.basic(*portal.create_client(scopes.USERS_READ))
    assert reader.get("/v1/users").status_code == 200

    # then
    assert_problem(reader.get("/v1/account"), 403, "insufficient_scope")
    assert_problem(reader.post("/v1/users", json={"full_name": "x"}), 403, "insufficient_scope")


def test_basic_costs_one_read_in_a_cache_period_and_bearer_none(portal: Portal, aws: AwsProxy) -> None:
    # given: a verifier that knows the published keys
    assert portal.bearer().get("/v1/account").status_code == 200
    token = portal.access_token()
    client = portal.create_client()

    # when
    with aws.recording() as by_basic:
        for _ in range(3):
            assert portal.basic(*client).get("/v1/account").status_code == 200
    with aws.recording() as by_bearer:
        for _ in range(3):
            assert portal.bearer(token).get("/v1/account").status_code == 200

    # then
    assert [call.action for call in by_basic if ASKED_WHO(call)] == ["GetItem"]
    assert [call for call in by_bearer if ASKED_WHO(call)] == []
    # and what the calls themselves cost does not depend on who makes them
    assert [call.action for call in by_bearer] == ["GetItem"] * 3


def test_the_main_jobs_calls_are_within_their_budgets(portal: Portal, aws: AwsProxy) -> None:
    # given: everything has been asked for once
    user = portal.create_user(external_id="p-1")
    assert portal.is_signed_in(portal.sign_in(user["id"]))

    # when
    with aws.recording() as issuing:
        uri = portal.issue_login_uri(user["id"])
    with aws.recording() as issuing_by_portals_id:
        portal.issue_login_uri(external_id="p-1")
    with aws.recording() as redeeming:
        arrived = portal.follow(uri)
    cookie = arrived.headers["set-cookie"].partition("=")[2].partition(";")[0]
    with aws.recording() as visiting:
        assert portal.is_signed_in(cookie)

    # then
    assert sorted(call.action for call in issuing) == ["GetItem", "PutItem"]
    assert sorted(call.action for call in issuing_by_portals_id) == ["GetItem", "PutItem"]
    assert [call.action for call in redeeming] == ["UpdateItem"]
    assert sorted(call.action for call in visiting) == ["BatchGetItem", "Query"], "the dashboard with its sessions"
