"""What a vendor's call costs at DynamoDB: what the native call does, the proof of the caller, and no surprise.

The native API's caller is proven by its authorizer; a dialect proves its own, by one read where it is not a bearer.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.events import CONTEXT, native_event, rest_event
from tests.support.house import add_user
from vestibule.domain import scopes

if TYPE_CHECKING:
    from tests.support.house import LoadFunction, Wire
    from vestibule.model import Account, User
    from vestibule.wiring import House

START = "2027-05-05T10:00:00"
WHO = "GetItem"
"""The read that proves a client."""


class Portal:
    """A portal that speaks the native API and every vendor's."""

    def __init__(self, house: House, account: Account, function: LoadFunction) -> None:
        house.key_rotation.run()
        self.account = account
        self.client, self._secret = house.clients.create(account.account_id, "portal", scopes.ALL)
        who = house.clients.authenticate(self.client.client_id, self._secret)
        self._token = house.access_token_issuer.issue(who).token
        self._function = function

    def native(self, function: str, method: str, path: str, body: Any) -> dict[str, Any]:
        return self._answered(function, native_event(method, path, account_id=self.account.account_id, body=body))

    def vendor(self, function: str, method: str, path: str, body: Any, headers: dict[str, str]) -> dict[str, Any]:
        event = rest_event(method, path, resource="/{proxy+}", headers=headers, body=json.dumps(body))
        return self._answered(function, event)

    @property
    def basic(self) -> dict[str, str]:
        pair = f"{self.client.client_id}:{self._secret}".encode()
        return {"Authorization": f"Basic {b64encode(pair).decode()}", "Accept": "application/json"}

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    @property
    def key(self) -> dict[str, str]:
        return {
            "X-AccountCode": self.account.slug,
            "X-ApiKey": self.client.client_id,
            "X-ApiSecret": self._secret,
        }

    def _answered(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        answer = self._function(function)(event, CONTEXT)
        assert answer["statusCode"] in {200, 201}, answer["body"]
        return dict(json.loads(answer["body"]) if answer["body"].startswith("{") else {})


@pytest.fixture
def portal(house: House, account: Account, function: LoadFunction) -> Portal:
    return Portal(house, account, function)


@pytest.fixture
def host(house: House, account: Account) -> User:
    return add_user(house, account, external_id="onsync", email="host@portal.example")


@pytest.mark.req("D01", "D02", "D03", "D04")
@pytest.mark.parametrize(
    ("vendor", "native", "further"),
    [
        pytest.param(
            ("securevideo", "POST", "/login/{host}", {}),
            ("login_uri_issue", "POST", "/v1/login-uris", {"user_id": "{host}"}),
            [WHO],
            id="SecureVideo: a login URI",
        ),
        pytest.param(
            ("securevideo", "POST", "/session/{host}", {"ScheduleTs": START}),
            ("session_create", "POST", "/v1/sessions", {"title": "A", "host": {"user_id": "{host}"}}),
            [WHO, "GetItem"],  # the host's name, which no guest may have
            id="SecureVideo: a session",
        ),
        pytest.param(
            ("vsee", "POST", "/vsee/api_v3/rooms", {"name": "A", "domain": "clinic.example", "code": "one"}),
            ("rooms", "POST", "/v1/rooms", {"name": "A", "domain": "clinic.example", "code": "two"}),
            [WHO],
            id="VSee: a room",
        ),
        pytest.param(
            ("onsync", "PUT", "/api/1/clinic/session", {"topic": "A"}),
            ("session_create", "POST", "/v1/sessions", {"title": "A", "host": {"external_id": "onsync"}}),
            [WHO],
            id="OnSync: a session",
        ),
        pytest.param(
            ("sequel", "POST", "/api/v1/event/{session}/embedCode", {"userId": "7"}),
            ("embed_create", "POST", "/v1/sessions/{session}/embeds", {"user_id": "7"}),
            [],
            id="Sequel: an embed",
        ),
        pytest.param(
            ("sequel", "POST", "/api/v1/event/{session}/registrant", {"name": "A", "email": "a@portal.example"}),
            (
                "registrant_create",
                "POST",
                "/v1/sessions/{session}/registrants",
                {"name": "B", "email": "b@portal.example"},
            ),
            [],
            id="Sequel: a registrant",
        ),
    ],
)
def test_a_vendors_call_costs_what_the_native_one_does(
    portal: Portal,
    host: User,
    house: House,
    wire: Wire,
    vendor: tuple[str, str, str, Any],
    native: tuple[str, str, str, Any],
    further: list[str],
) -> None:
    # given: functions that have served before, and remember the account and the keys
    planned = portal.native(
        "session_create", "POST", "/v1/sessions", {"title": "Before", "host": {"user_id": host.user_id}}
    )
    house.accounts.get(portal.account.account_id)
    house.accounts.at_slug(portal.account.slug)
    before = {"userId": "before", "name": "Before", "email": "before@portal.example"}
    for call in ("embedCode", "registrant"):
        portal.vendor("sequel", "POST", f"/api/v1/event/{planned['id']}/{call}", before, portal.bearer)
    headers = {"sequel": portal.bearer, "vsee": portal.key}.get(vendor[0], portal.basic)

    def filled(call: tuple[str, str, str, Any]) -> tuple[str, str, str, Any]:
        function, method, path, body = call
        text = json.dumps(body).replace("{host}", host.user_id)
        return function, method, path.format(host=host.user_id, session=planned["id"]), json.loads(text)

    # when
    with wire.counting() as theirs:
        portal.vendor(*filled(vendor), headers)
    with wire.counting() as ours:
        portal.native(*filled(native))

    # then
    assert Counter(call.operation for call in theirs) == Counter(call.operation for call in ours) + Counter(further)
    assert sum(call.write_units for call in theirs) == sum(call.write_units for call in ours)
