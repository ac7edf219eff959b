"""The log: which request it was, whose account, and nothing that lets anybody in."""

from __future__ import annotations

import io
import json
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.support.events import (
    ADDRESS,
    CONTEXT,
    FUNCTION_REQUEST_ID,
    REQUEST_ID,
    USER_AGENT,
    caller,
    cookie_of,
    hub_event,
    json_of,
    native_event,
    rest_event,
)
from tests.support.house import add_user
from vestibule.domain import scopes
from vestibule.errors import ConflictError, UnavailableError
from vestibule.http import logs
from vestibule.http.event import Event

if TYPE_CHECKING:
    from tests.support.house import LoadFunction, Wire
    from vestibule.model import Account, User
    from vestibule.wiring import House

PRIVATE = {
    "full_name": "Maria Lindqvist-Private",
    "email": "maria.private@example.org",
    "password": "a very private password",
    "external_id": "private-external-17",
    "username": "maria.private",
}


class Log:
    """What the functions of this test wrote."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def of(self, message: str) -> dict[str, Any]:
        (line,) = [line for line in self.lines() if line["message"] == message]
        return line


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    stream = io.StringIO()
    monkeypatch.setattr(logs.log.registered_handler, "stream", stream)
    logs.log.setLevel("INFO")
    return Log(stream)


@pytest.fixture
def user(house: House, account: Account) -> User:
    return add_user(house, account, **PRIVATE)


def basic(client_id: str, secret: str) -> str:
    return "Basic " + b64encode(f"{client_id}:{secret}".encode()).decode()


def arrive(function: LoadFunction, guid: str, cookie: str | None = None) -> dict[str, Any]:
    event = hub_event("GET", f"/login/{guid}", resource="/login/{guid}", path_values={"guid": guid}, cookie=cookie)
    answer: dict[str, Any] = function("redeem")(event, CONTEXT)
    return answer


def test_every_line_carries_the_requests_ids(
    log: Log, function: LoadFunction, house: House, account: Account, user: User
) -> None:
    # when
    issued = house.login_uris.issue(account, user_id=user.user_id)
    arrive(function, issued.guid)
    # then
    line = log.of("signed in")
    assert line["request_id"] == REQUEST_ID
    assert line["function_request_id"] == FUNCTION_REQUEST_ID
    assert line["account_id"] == account.account_id
    assert line["user_id"] == user.user_id
    assert line["route"] == "GET /login/{guid}"
    assert line["level"] == "INFO"
    assert line["service"] == "vestibule"
    assert line["timestamp"].endswith(("Z", "+0000", "+00:00"))


def test_a_refusal_is_logged_with_its_code_and_client(log: Log, function: LoadFunction, account: Account) -> None:
    said = caller(account.account_id, client_id="the-client")
    event = native_event("GET", "/v1/users/1", resource="/v1/users/{user_id}", authorizer=said)
    function("users")(event, CONTEXT)
    line = log.of("refused")
    assert (line["code"], line["account_id"], line["client_id"]) == ("user_not_found", account.account_id, "the-client")
    assert line["route"] == "GET /v1/users/{user_id}"


def test_no_line_carries_the_ids_of_the_request_before(log: Log) -> None:
    # given
    logs.begin(Event(rest_event("GET", "/a")), CONTEXT)  # type: ignore[arg-type]
    logs.about(account_id="1", user_id="2", client_id="3")
    logs.log.info("first")
    # when
    logs.begin(Event({"requestContext": {"requestId": "another"}}), CONTEXT)  # type: ignore[arg-type]
    logs.log.info("second")
    # then
    assert {"account_id", "user_id", "client_id"} <= set(log.of("first"))
    assert not {"account_id", "user_id", "client_id"} & set(log.of("second"))
    assert log.of("second")["request_id"] == "another"


def test_how_bad_a_failure_is(log: Log) -> None:
    logs.note(ConflictError("taken", "Taken."))
    logs.note(UnavailableError("dynamodb"))
    logs.note(KeyError("x"))
    refused, failed, unexpected = log.lines()
    assert (refused["level"], refused["message"], refused["code"]) == ("INFO", "refused", "taken")
    assert (failed["level"], failed["message"], failed["dependency"]) == ("ERROR", "dependency failed", "dynamodb")
    assert (unexpected["level"], unexpected["message"]) == ("ERROR", "unexpected error")
    assert "exception" not in refused
    assert failed["exception_name"] == "UnavailableError"
    assert unexpected["exception_name"] == "KeyError"


def test_an_unknown_id_is_left_out(log: Log) -> None:
    logs.begin(Event({}), CONTEXT)  # type: ignore[arg-type]
    logs.about(account_id="1", user_id=None, client_id="")
    logs.log.info("line")
    assert not {"user_id", "client_id"} & set(log.of("line"))


class Days:
    """Everything that a deployment does, on good and on bad days; notes what was handed out meanwhile."""

    def __init__(self, function: LoadFunction, house: House, account: Account, user: User, wire: Wire) -> None:
        self._function = function
        self._house = house
        self._said = caller(account.account_id)
        self._user = user
        self._wire = wire
        self.handed_out: dict[str, str] = {}

    def call(self, folder: str, event: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self._function(folder)(event, CONTEXT)
        return answer

    def native(self, folder: str, method: str, path: str, **further: Any) -> dict[str, Any]:
        return self.call(folder, native_event(method, path, authorizer=self._said, **further))

    def authorize(self, header: str) -> None:
        event = {"methodArn": "arn:aws:execute-api:eu-central-1:1:a/live/GET/v1/users", "headers": {}}
        event["headers"] = {"Authorization": header}
        self.call("authorizer", event)

    def a_portal_proves_itself(self) -> None:
        self._house.key_rotation.run()
        wanted = {"name": "Private Portal", "scopes": scopes.ALL}
        made = json_of(self.native("api_clients", "POST", "/v1/account/clients", body=wanted))
        self.header = basic(made["client_id"], made["client_secret"])
        self.handed_out["client secret"] = made["client_secret"]
        self.handed_out["basic header"] = self.header.partition(" ")[2]
        self.authorize(self.header)
        answer = self.token("grant_type=client_credentials", {"Authorization": self.header})
        token = json_of(answer)["access_token"]
        self.handed_out["access token"] = token
        self.handed_out["its signature"] = token.rpartition(".")[2]
        self.authorize(f"Bearer {token}")

    def token(self, body: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
        return self.call("access_token", rest_event("POST", "/v1/oauth/token", body=body, headers=headers))

    def somebody_guesses(self) -> None:
        for wrong in ("Basic wrong-private", "Bearer private.bearer.wrong", basic("1-x", "wrong-private")):
            with pytest.raises(Exception, match="Unauthorized"):
                self.authorize(wrong)
            self.handed_out[f"a wrong header: {wrong}"] = wrong.partition(" ")[2]
        self.token("grant_type=client_credentials&client_id=1-x&client_secret=pr1vate")
        self.handed_out["a wrong secret"] = "pr1vate"

    def people_are_registered(self) -> None:
        for body in (
            {"full_name": "Other Private-Person", "password": "pass-private"},
            PRIVATE,
            {"email": "x-private"},
        ):
            self.native("users", "POST", "/v1/users", body=body)
        self.native("users", "GET", "/v1/users", query={"email": PRIVATE["email"]})

    def somebody_comes(self, day: str) -> None:
        """Issue, follow, look around, leave and withdraw a link on a ``good``, ``throttled`` or ``torn`` day."""
        page = "https://portal.example/private-page?ticket=private-ticket"
        wanted = {"user_id": self._user.user_id, "redirect_to_uri_on_expiry": page}
        guid = json_of(self.native("login_uri_issue", "POST", "/v1/login-uris", body=wanted))["login_guid"]
        self.handed_out[f"login guid of a {day} day"] = guid
        if day == "throttled":
            self._wire.fail("UpdateItem", "ThrottlingException")
            arrive(self._function, guid)
        if day == "torn":
            self._wire.lose_answer("UpdateItem", times=3)
            arrive(self._function, guid)
        cookie = cookie_of(arrive(self._function, guid)) or ""
        if cookie:
            self.handed_out[f"cookie of a {day} day"] = cookie
            self.handed_out[f"sign-in secret of a {day} day"] = cookie.rpartition(".")[2]
        arrive(self._function, guid)
        arrive(self._function, guid, cookie)
        self.somebody_stays_and_leaves(cookie)
        self.call("doorway", hub_event("GET", f"/Account/AUTOLOGIN/{guid}"))
        for folder, method in (("login_uri_state", "GET"), ("login_uri_revoke", "DELETE")):
            path = f"/v1/login-uris/{guid}"
            self.native(folder, method, path, resource="/v1/login-uris/{guid}", path_values={"guid": guid})

    def somebody_stays_and_leaves(self, cookie: str) -> None:
        query = {"scrollTo": "1", "passkey": "private-passkey"}
        self.call("dashboard", hub_event("GET", "/dashboard", cookie=cookie, query=query))
        self._wire.fail("BatchGetItem", "InternalServerError")
        self.call("dashboard", hub_event("GET", "/dashboard", cookie=cookie, query=query))
        self.call("sign_in", hub_event("GET", "/sign-in/state", resource="/sign-in/state", cookie=cookie))
        target = {"redirectToUrl": "https://evil.example/private-target"}
        self.call("logout", hub_event("GET", "/logout", cookie=cookie, query=target))
        self.call("logout", hub_event("POST", "/logout", cookie=cookie, body="form_token=private-token"))

    def a_dialect_is_spoken(self) -> None:
        event = rest_event(
            "POST",
            "/login/0",
            query={"externalId": PRIVATE["external_id"]},
            headers={"Authorization": self.header},
            body='{"RedirectToUriOnExpiry": "https://evil.example/private-target"}',
        )
        self.call("securevideo", event)
        self.vsees_client_calls()
        self.sequels_client_calls()

    def sequels_client_calls(self) -> None:
        client_id, _, secret = b64decode(self.header.partition(" ")[2]).decode().partition(":")
        credentials = {"client_id": client_id, "client_secret": secret, "grant_type": "client_credentials"}

        def call(path: str, body: dict[str, Any], token: str = "") -> Any:
            headers = {"Authorization": f"Bearer {token}", "Origin": "https://private.example"}
            event = rest_event("POST", f"/api{path}", headers=headers, body=json.dumps(body), resource="/{proxy+}")
            return json_of(self.call("sequel", event))

        call("/oauth/token", {**credentials, "client_secret": "wrong-private"})
        token = call("/oauth/token", credentials)["access_token"]
        self.handed_out["access token of a dialect"] = token
        times = {"startDate": "2027-05-05T10:00Z", "endDate": "2027-05-05T11:00Z", "timezone": "UTC"}
        planned = {"companyId": client_id, "name": "Private talk", "type": "Virtual", **times}
        path = f"/v1/event/{call('/v1/event/create', planned, token)['uid']}"
        url = call(f"{path}/embedCode", {"userId": "private-7", "userName": "Private Person"}, token)
        self.handed_out["embed token"] = url.partition("#token=")[2]
        registrant = {"name": "Private Person", "email": "private@example.org", "metadata": {"a": "private"}}
        self.handed_out["join_url"] = call(f"{path}/registrant", registrant, token)["join_url"].rpartition("/")[2]
        for refused in (registrant, {"name": "private"}):
            call(f"{path}/registrant", refused, token)

    def vsees_client_calls(self) -> None:
        client_id, _, secret = b64decode(self.header.partition(" ")[2]).decode().partition(":")
        headers = {"X-AccountCode": "clinic", "X-ApiKey": client_id, "X-ApiSecret": secret}
        body = "first_name=Private&last_name=&type=400&code=private-code"
        self.call("vsee", rest_event("POST", "/api_v3/users/sso", headers=headers, body=body))
        self.call("vsee", rest_event("POST", "/api_v3/rooms", headers=headers | {"X-ApiSecret": "wrong-private"}))
        answer = self.call(
            "vsee",
            rest_event(
                "POST", "/api_v3/users/sso", headers=headers, body=body.replace("last_name=", "last_name=Private")
            ),
        )
        token = json_of(answer)["data"]["token"]
        self.handed_out["SSO token"], self.handed_out["refresh token"] = (
            token["token"],
            token["refresh_token"]["token"],
        )
        for brought in (token["token"], "private-token"):
            query = {"sso_token": brought, "next": "/private-path"}
            self.call("sso", hub_event("GET", "/auth", query=query))

    def keys_are_kept_in_order(self) -> None:
        self._function("key_rotation")({}, CONTEXT)
        ring = self._house._keyring.read()  # noqa: SLF001 - the one place that has the private part
        self.handed_out["a private key"] = (ring[0].private_key or "").splitlines()[1]

    def something_breaks_inside(self) -> None:
        def break_down(*_: object, **__: object) -> None:
            raise KeyError("defect")

        cookie = self.handed_out["cookie of a good day"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self._house.login_uris, "redeem", break_down)
            patch.setattr(self._house.sign_ins, "check", break_down)
            patch.setattr(self._house.clients, "authenticate", break_down)
            arrive(self._function, self.handed_out["login guid of a good day"], cookie)
            self.call("dashboard", hub_event("GET", "/dashboard", cookie=cookie))
            self.token("grant_type=client_credentials", {"Authorization": self.header})


@pytest.mark.req("L04")
def test_no_line_of_any_flow_holds_what_lets_somebody_in_or_names_a_person(
    log: Log, function: LoadFunction, house: House, account: Account, user: User, wire: Wire
) -> None:
    # given
    days = Days(function, house, account, user, wire)

    # when
    days.a_portal_proves_itself()
    days.somebody_guesses()
    days.people_are_registered()
    for day in ("good", "throttled", "torn"):
        days.somebody_comes(day)
    days.a_dialect_is_spoken()
    days.keys_are_kept_in_order()
    days.something_breaks_inside()

    # then: it wrote about all of that
    written, messages = log.text, {line["message"] for line in log.lines()}
    assert {"signed in", "signed out", "login URI refused", "refused"} <= messages
    assert {"dependency failed", "unexpected error", "signing keys in order"} <= messages
    # and nothing of what it must not hold, in any spelling
    for what, secret in {**days.handed_out, **PRIVATE}.items():
        for spelled in (secret, secret.upper(), quote(secret, safe=""), b64encode(secret.encode()).decode()):
            assert spelled not in written, what
    for word in ("private", "Private", USER_AGENT, ADDRESS, "__Host-", "form_token", "portal.example", "evil.example"):
        assert word not in written, word
    # and every line says of which request it is, or of which invocation where nobody asked
    assert all(line.get("request_id") or line.get("function_request_id") for line in log.lines())
