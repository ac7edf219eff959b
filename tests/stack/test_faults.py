"""When the answers of AWS are lost, late, refused or half: a retry that succeeds, or a clear 503 and nothing lost."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.portal import PORTAL_URL, cookie_of
from tests.support.problems import assert_problem
from tests.support.proxy import calls_of, is_write
from vestibule.domain import scopes

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable

    import httpx

    from tests.support.portal import Portal
    from tests.support.proxy import AwsProxy, Call, Fault, Matcher
    from tests.support.stack import Fresh
    from tests.support.tables import Tables

EVER = 1_000_000
DYNAMODB = calls_of(service="dynamodb")


# --- an answer is lost once, and the SDK asks again -----------------------------------------------------------


@pytest.mark.req("L11")
def test_redeeming_survives_a_lost_answer(portal: Portal, aws: AwsProxy, tables: Tables) -> None:
    # given
    issued = portal.issue()

    # when: the write acted, and its answer never came
    with aws.drop_answer(calls_of(function="RedeemFunction", action="UpdateItem")) as lost, aws.recording() as calls:
        arrived = portal.follow(issued["login_uri"])

    # then: the repeated write was recognised as the same attempt
    assert len(lost.hits) == 1
    assert [call.action for call in calls] == ["UpdateItem", "UpdateItem"]
    cookie = cookie_of(arrived)
    assert cookie is not None
    assert portal.is_signed_in(cookie)
    assert tables.events_of(issued["login_guid"]) == []


@pytest.mark.req("L11", "L13")
def test_a_lost_answer_does_not_keep_the_old_sign_in_alive(portal: Portal, aws: AwsProxy) -> None:
    # given
    old = portal.sign_in()
    uri = portal.issue_login_uri()

    # when: both of the writes' answers are lost once
    with (
        aws.drop_answer(calls_of(function="RedeemFunction", action="UpdateItem")),
        aws.drop_answer(lambda call: call.action == "UpdateItem" and b"ended_at" in call.body) as lost,
    ):
        arrived = portal.follow(uri, cookie=old)

    # then
    assert len(lost.hits) == 1
    new = cookie_of(arrived)
    assert new is not None
    assert portal.is_signed_in(new)
    assert not portal.is_signed_in(old)


@pytest.mark.req("L11")
def test_issuing_survives_a_lost_answer(portal: Portal, aws: AwsProxy) -> None:
    # given
    user_id = portal.create_user()["id"]

    # when
    with aws.drop_answer(calls_of(function="LoginUriIssueFunction", action="PutItem")) as lost:
        uri = portal.issue_login_uri(user_id)

    # then
    assert len(lost.hits) == 1
    assert cookie_of(portal.follow(uri))


@pytest.mark.req("L11")
@pytest.mark.parametrize(
    ("action", "fields"),
    [("PutItem", {}), ("TransactWriteItems", {"external_id": "p-1", "username": "ada"})],
    ids=["a single put", "a transaction"],
)
def test_creating_a_user_survives_a_lost_answer(
    portal: Portal, aws: AwsProxy, action: str, fields: dict[str, str]
) -> None:
    # when
    with aws.drop_answer(calls_of(function="UsersFunction", action=action)) as lost:
        answer = portal.api.post("/v1/users", json={"full_name": "Ada Lovelace", **fields})

    # then: no conflict with oneself, and one user
    assert len(lost.hits) == 1
    assert answer.status_code == 201
    assert [user["id"] for user in portal.api.get("/v1/users").json()["items"]] == [answer.json()["id"]]


@pytest.mark.req("L11")
@pytest.mark.parametrize(
    ("action", "changes"),
    [("PutItem", {"full_name": "Ada King"}), ("TransactWriteItems", {"external_id": "p-2"})],
    ids=["a single put", "a transaction"],
)
def test_changing_a_user_survives_a_lost_answer(
    portal: Portal, aws: AwsProxy, action: str, changes: dict[str, str]
) -> None:
    # given
    user = portal.create_user(external_id="p-1")

    # when
    with aws.drop_answer(calls_of(function="UsersFunction", action=action)) as lost:
        answer = portal.api.patch(f"/v1/users/{user['id']}", json=changes)

    # then
    assert len(lost.hits) == 1
    assert answer.status_code == 200
    assert portal.api.get(f"/v1/users/{user['id']}").json() == {
        **user,
        **changes,
        "updated_at": answer.json()["updated_at"],
    }


@pytest.mark.req("L11")
def test_every_other_write_survives_a_lost_answer(portal: Portal, aws: AwsProxy) -> None:
    # given
    client_id, _ = portal.create_client(scopes.USERS_READ)
    further, _ = portal.create_client(scopes.USERS_READ)
    user_id = portal.create_user(external_id="p-1")["id"]
    guid = portal.issue(user_id)["login_guid"]
    cookie = portal.sign_in()
    api = portal.api
    writes: dict[str, Callable[[], httpx.Response]] = {
        "change the account": lambda: api.patch("/v1/account", json={"name": "Lakeside"}),
        "create a client": lambda: api.post("/v1/account/clients", json={"name": "x", "scopes": ["users:read"]}),
        "rotate a client": lambda: api.post(f"/v1/account/clients/{client_id}/rotate"),
        "delete a client": lambda: api.delete(f"/v1/account/clients/{further}"),
        "revoke": lambda: api.delete(f"/v1/login-uris/{guid}"),
        "sign out everywhere": lambda: api.delete(f"/v1/users/{user_id}/sign-ins"),
        "delete a user": lambda: api.delete(f"/v1/users/{user_id}"),
        "issue to a vendor's client": lambda: api.post("/securevideo/login/0?externalId=p-9"),
        "sign out": lambda: portal.follow("/logout", cookie=cookie),
    }
    portal.create_user(external_id="p-9")
    seen = {}

    for name, write in writes.items():
        # when
        with aws.drop_answer(is_write) as lost:
            answer = write()

        # then
        seen[name] = (answer.status_code, len(lost.hits))
        if name in {"create a client", "rotate a client"}:
            made = answer.json()
            assert portal.basic(made["client_id"], made["client_secret"]).get("/v1/users").status_code == 200
    assert seen == {
        "change the account": (200, 1),
        "create a client": (201, 1),
        "rotate a client": (200, 1),
        "delete a client": (204, 1),
        "revoke": (204, 1),
        "sign out everywhere": (204, 1),
        "delete a user": (204, 1),
        "issue to a vendor's client": (201, 1),
        "sign out": (303, 1),
    }
    assert not portal.is_signed_in(cookie)


# --- it stays away for long ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Door:
    """One request, and in whose shape its door says that it cannot serve it now."""

    name: str
    ask: Callable[[], httpx.Response]
    shape: Callable[[httpx.Response], None]


@pytest.mark.req("R01", "P01")
@pytest.mark.parametrize("outage", ["throttled", "failing", "half-answering", "silent"])
def test_while_dynamodb_is_away_every_door_says_503_and_nothing_is_lost(
    portal: Portal, aws: AwsProxy, tables: Tables, outage: str
) -> None:
    # given
    user = portal.create_user(external_id="p-1")
    issued, doomed = portal.issue(user["id"]), portal.issue(user["id"])
    for guid in (issued["login_guid"], doomed["login_guid"]):  # time enough for a slow outage
        tables.change_login(guid, redeem_before=int(time.time() * 1000) + 120_000)
    cookie, leaving = portal.sign_in(user["id"]), portal.sign_in(user["id"])
    token = portal.access_token()
    before = tables.dump()
    doors = doors_of(portal, issued=issued, doomed=doomed, cookie=cookie, leaving=leaving, token=token)

    # when
    with outage_of(aws, outage), ThreadPoolExecutor(len(doors)) as pool:
        answers = dict(zip([door.name for door in doors], pool.map(lambda door: door.ask(), doors), strict=True))

    # then
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(answers, 503)
    for door in doors:
        answer = answers[door.name]
        assert answer.headers["retry-after"].isdigit(), door.name
        assert answer.headers["cache-control"] in {"no-store", "no-cache"}, door.name
        assert cookie_of(answer) is None, door.name
        assert not any(word in answer.text for word in ("Traceback", "botocore", "dynamodb", "Throughput")), door.name
        door.shape(answer)
    assert tables.dump() == before

    # and when it is over, everything works that was there before
    assert cookie_of(portal.follow(issued["login_uri"]))
    assert portal.is_signed_in(cookie)
    assert portal.api.get(f"/v1/users/{user['id']}").json() == user
    assert portal.api.delete(f"/v1/login-uris/{doomed['login_guid']}").status_code == 204


@pytest.mark.req("R01")
def test_an_authorizer_without_its_table_says_503_and_never_no(portal: Portal, aws: AwsProxy) -> None:
    # given: credentials that no cache has seen
    callers = {
        "good": portal.basic(*portal.create_client()),
        "wrong": portal.basic(portal.client_id, "not-the-secret"),
    }

    # when
    with aws.fail(calls_of(function="AuthorizerFunction"), "ProvisionedThroughputExceededException", times=EVER):
        answers = {name: api.get("/v1/users") for name, api in callers.items()}

    # then: nothing is known about either
    for answer in answers.values():
        assert_problem(answer, 503, "temporarily_unavailable")
        assert answer.headers["retry-after"].isdigit()

    # and nobody remembers it
    assert callers["good"].get("/v1/users").status_code == 200
    assert callers["wrong"].get("/v1/users").status_code == 401


@pytest.mark.req("R01")
def test_the_token_endpoint_without_its_keys_says_503(portal: Portal, aws: AwsProxy, fresh: Fresh) -> None:
    # given: a process that has not read the keys yet
    fresh("AccessTokenFunction")

    # when
    with aws.fail(calls_of(service="secretsmanager"), "InternalServiceError", status=500, times=EVER) as hits:
        answer = portal.api.post("/v1/oauth/token", data={"grant_type": "client_credentials"})

    # then
    assert hits.hits
    is_oauth_error(answer)
    assert answer.status_code == 503
    assert answer.headers["retry-after"].isdigit()
    assert portal.bearer().get("/v1/users").status_code == 200


@pytest.mark.req("R01")
def test_a_verifier_without_the_published_keys_says_503(portal: Portal, aws: AwsProxy, fresh: Fresh) -> None:
    # given
    token = portal.access_token()
    for function in ("AuthorizerFunction", "JwksFunction"):
        fresh(function)

    # when
    with aws.fail(DYNAMODB, "InternalServerError", status=500, times=EVER):
        called = portal.bearer(token).get("/v1/account")
        published = portal.anonymous().get("/.well-known/jwks.json")

    # then
    assert_problem(called, 503, "temporarily_unavailable")
    assert_problem(published, 503, "temporarily_unavailable")
    assert portal.bearer(token).get("/v1/account").status_code == 200
    assert portal.anonymous().get("/.well-known/jwks.json").json()["keys"]


@pytest.mark.req("R01")
def test_what_a_batch_leaves_over_is_asked_for_again(portal: Portal, aws: AwsProxy) -> None:
    # given
    cookie = portal.sign_in()
    batches = calls_of(function="DashboardFunction", action="BatchGetItem")

    def nothing_yet(call: Call) -> tuple[int, bytes]:
        return 200, json.dumps({"Responses": {}, "UnprocessedKeys": call.payload["RequestItems"]}).encode()

    # when
    with aws.answer(batches, nothing_yet) as once:
        soon = portal.follow("/dashboard", cookie=cookie)
    with aws.answer(batches, nothing_yet, times=EVER):
        never = portal.follow("/dashboard", cookie=cookie)

    # then: never is that taken for "nobody is signed in"
    assert len(once.hits) == 1
    assert soon.status_code == 200
    assert never.status_code == 503


@pytest.mark.req("R01")
def test_a_transaction_that_meets_another_is_tried_again(portal: Portal, aws: AwsProxy) -> None:
    # given
    transactions = calls_of(function="UsersFunction", action="TransactWriteItems")
    conflict = {
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled",
        "CancellationReasons": [{"Code": "TransactionConflict"}, {"Code": "None"}],
    }

    def conflicts(_: Call) -> tuple[int, bytes]:
        return 400, json.dumps(conflict).encode()

    # when
    with aws.answer(transactions, conflicts, times=2) as twice:
        created = portal.api.post("/v1/users", json={"full_name": "Ada", "external_id": "p-1"})
    with aws.answer(transactions, conflicts, times=EVER):
        refused = portal.api.post("/v1/users", json={"full_name": "Ada", "external_id": "p-2"})

    # then
    assert len(twice.hits) == 2
    assert created.status_code == 201
    assert_problem(refused, 503, "temporarily_unavailable")


@pytest.mark.req("R01", "L10")
def test_a_theft_that_cannot_be_recorded_is_no_sign_in_either(portal: Portal, aws: AwsProxy, tables: Tables) -> None:
    # given
    issued = portal.issue()
    portal.follow(issued["login_uri"], headers={"User-Agent": "hers"})

    # when
    with aws.fail(calls_of(function="RedeemFunction", action="PutItem"), "InternalServerError", status=500, times=EVER):
        answer = portal.follow(issued["login_uri"], headers={"User-Agent": "somebody else's"})

    # then
    assert answer.status_code == 503
    assert cookie_of(answer) is None
    assert tables.events_of(issued["login_guid"]) == []


@pytest.mark.req("R01", "L13")
def test_an_old_sign_in_that_cannot_be_ended_does_not_keep_a_person_out(portal: Portal, aws: AwsProxy) -> None:
    # given
    old = portal.sign_in()
    uri = portal.issue_login_uri()

    # when
    ending: Matcher = lambda call: call.action == "UpdateItem" and b"ended_at" in call.body  # noqa: E731
    with aws.fail(ending, "InternalServerError", status=500, times=EVER):
        arrived = portal.follow(uri, cookie=old)

    # then
    new = cookie_of(arrived)
    assert new is not None
    assert portal.is_signed_in(new)


@pytest.mark.req("R01", "L12")
def test_a_deadline_that_cannot_be_moved_does_not_keep_a_person_out(
    portal: Portal, aws: AwsProxy, tables: Tables
) -> None:
    # given
    cookie = portal.sign_in()
    soon = int(time.time() * 1000) + 60_000
    tables.change_cookies_login(cookie, idle_until=soon)

    # when
    with aws.fail(calls_of(action="UpdateItem"), "InternalServerError", status=500, times=EVER) as failed:
        answer = portal.follow("/dashboard", cookie=cookie)

    # then
    assert failed.hits
    assert answer.status_code == 200


# --- helpers --------------------------------------------------------------------------------------------------


def outage_of(aws: AwsProxy, kind: str) -> contextlib.AbstractContextManager[Fault]:
    match kind:
        case "throttled":
            return aws.fail(is_not_asked_who, "ProvisionedThroughputExceededException", times=EVER)
        case "failing":
            return aws.fail(is_not_asked_who, "InternalServerError", status=500, times=EVER)
        case "half-answering":
            return aws.cut_short(is_not_asked_who, times=EVER)
        case _:
            return aws.swallow(is_not_asked_who, times=EVER)


def is_not_asked_who(call: Call) -> bool:
    """Tell whether a call is one of the functions behind the authorizer, whose own outage is a test of its own."""
    return call.service == "dynamodb" and call.function != "AuthorizerFunction"


def doors_of(
    portal: Portal, *, issued: dict[str, Any], doomed: dict[str, Any], cookie: str, leaving: str, token: str
) -> list[Door]:
    """Give a request through each door."""
    api, user = portal.api, issued["user_id"]
    api.get("/v1/users")  # the authorizer's yes is remembered
    vendor = "/securevideo/login"
    native = {
        "create a user": lambda: api.post("/v1/users", json={"full_name": "Grace", "external_id": "p-2"}),
        "create a nameless user": lambda: api.post("/v1/users", json={"full_name": "Grace"}),
        "list users": lambda: api.get("/v1/users"),
        "find a user": lambda: api.get("/v1/users", params={"external_id": "p-1"}),
        "see a user": lambda: api.get(f"/v1/users/{user}"),
        "change a user": lambda: api.patch(f"/v1/users/{user}", json={"full_name": "Grace"}),
        "sign a user out": lambda: api.delete(f"/v1/users/{user}/sign-ins"),
        "delete a user": lambda: api.delete(f"/v1/users/{user}"),
        "see the account": lambda: api.get("/v1/account"),
        "change the account": lambda: api.patch("/v1/account", json={"name": "x"}),
        "list clients": lambda: api.get("/v1/account/clients"),
        "create a client": lambda: api.post("/v1/account/clients", json={"name": "x", "scopes": ["users:read"]}),
        "rotate a client": lambda: api.post(f"/v1/account/clients/{portal.client_id}/rotate"),
        "issue": lambda: api.post("/v1/login-uris", json={"user_id": user}),
        "see a login": lambda: api.get(f"/v1/login-uris/{doomed['login_guid']}"),
        "revoke": lambda: api.delete(f"/v1/login-uris/{doomed['login_guid']}"),
    }
    hub = {
        "arrive": lambda: portal.follow(issued["login_uri"]),
        "dashboard": lambda: portal.follow("/dashboard", cookie=cookie),
        "sign-in": lambda: portal.follow("/sign-in", cookie=cookie),
        "state": lambda: portal.follow("/sign-in/state", cookie=cookie),
        "logout": lambda: portal.follow(f"/logout?redirectToUrl={PORTAL_URL}/x", cookie=leaving),
    }
    vendors = {
        "vendor issues": lambda: api.post(f"{vendor}/{user}"),
        "vendor issues by bearer": lambda: portal.bearer(token).post(f"{vendor}/{user}"),
        "vendor revokes": lambda: api.delete(f"{vendor}/{doomed['login_guid']}"),
    }
    oauth = {"token": lambda: api.post("/v1/oauth/token", data={"grant_type": "client_credentials"})}
    return [
        *(Door(name, ask, is_problem) for name, ask in native.items()),
        *(Door(name, ask, is_page) for name, ask in hub.items()),
        *(Door(name, ask, is_vendors_error) for name, ask in vendors.items()),
        *(Door(name, ask, is_oauth_error) for name, ask in oauth.items()),
    ]


def is_problem(answer: httpx.Response) -> None:
    assert_problem(answer, 503, "temporarily_unavailable")


def is_page(answer: httpx.Response) -> None:
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "Please try again in a moment" in answer.text


def is_vendors_error(answer: httpx.Response) -> None:
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.json() == {"Message": "The service is briefly unavailable. Please try again."}


def is_oauth_error(answer: httpx.Response) -> None:
    assert answer.headers["content-type"] == "application/json"
    assert answer.json().keys() == {"error", "error_description"}
    assert answer.json()["error"] == "temporarily_unavailable"
