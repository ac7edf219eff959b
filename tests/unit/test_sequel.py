"""Sequel's dialect where the contract tests cannot reach: what it costs, long lists, races and outages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.events import CONTEXT, header, json_of, rest_event
from tests.support.house import START
from vestibule.clock import MINUTE, SECOND
from vestibule.dialects import front_door
from vestibule.dialects.sequel import sequel
from vestibule.dialects.sequel import wire as sequels
from vestibule.domain import scopes
from vestibule.domain.attendance import per_minute
from vestibule.errors import VersionMismatchError
from vestibule.model import Entrance, ParticipantRole, Visit
from vestibule.store.table import Table
from vestibule.store.visits import VisitStore

if TYPE_CHECKING:
    from tests.support.house import FakeClock, Wire
    from vestibule.model import Account
    from vestibule.wiring import House

pytestmark = pytest.mark.req("D04")


class Client:
    """A client of the vendor's with a token."""

    def __init__(self, house: House, account: Account) -> None:
        house.key_rotation.run()
        client, secret = house.clients.create(account.account_id, "portal", scopes.ALL)
        self.client_id = client.client_id
        self._handler = sequel(house)
        self._credentials = {
            "client_id": client.client_id,
            "client_secret": secret,
            "grant_type": "client_credentials",
        }
        self._token = ""
        self.renew()

    def renew(self) -> None:
        """Get another token; they live for 15 minutes."""
        self._token = self.call("POST", "/oauth/token", self._credentials)["access_token"]

    def ask(self, method: str, path: str, body: Any = None, **event: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}", **event.pop("headers", {})}
        text = None if body is None else json.dumps(body)
        raw = rest_event(method, f"/sequel/api{path}", resource="/{proxy+}", headers=headers, body=text, **event)
        return self._handler(raw, CONTEXT)  # type: ignore[arg-type]

    def call(self, method: str, path: str, body: Any = None, **event: Any) -> Any:
        answer = self.ask(method, path, body, **event)
        assert answer["statusCode"] == 200, answer["body"]
        return json_of(answer)

    def event(self, **members: Any) -> str:
        known = {
            "companyId": self.client_id,
            "name": "Webinar",
            "startDate": "2027-05-05T10:00:00Z",
            "endDate": "2027-05-05T11:00:00Z",
            "timezone": "UTC",
            "type": "Virtual",
        }
        return str(self.call("POST", "/v1/event/create", known | members)["uid"])


@pytest.fixture
def client(house: House, account: Account) -> Client:
    return Client(house, account)


def visit(account: Account, session_id: str, number: int, joined_at: int, seconds: int = 90) -> Visit:
    return Visit(
        visit_id=f"{number:08x}",
        account_id=account.account_id,
        session_id=session_id,
        entrance=Entrance.EMBED,
        role=ParticipantRole.ATTENDEE,
        joined_at=joined_at,
        left_at=joined_at + seconds * SECOND,
        user_id=f"portal-{number}",
    )


def visits_of(house: House) -> VisitStore:
    return VisitStore(Table(house.dynamodb, house.settings.journal_table, draw=lambda: 0.0, pause=lambda _: None))


# --- what it costs ---


def test_an_embed_is_one_read_and_a_registration_one_write(client: Client, wire: Wire) -> None:
    # given: a function that has served before
    event_id = client.event()
    client.call("POST", f"/v1/event/{event_id}/embedCode", {})
    client.call("POST", f"/v1/event/{event_id}/registrant", {"name": "Ada", "email": "ada@example.org"})
    # when
    with wire.counting() as embed:
        client.call("POST", f"/v1/event/{event_id}/embedCode", {"userId": "7"})
    with wire.counting() as registration:
        client.call("POST", f"/v1/event/{event_id}/registrant", {"name": "Grace", "email": "grace@example.org"})
    # then
    assert [(call.operation, call.write_units) for call in embed] == [("GetItem", 0)]
    assert [call.operation for call in registration] == ["PutItem"]


def test_a_preflight_of_a_known_page_reads_once_a_minute(client: Client, wire: Wire) -> None:
    with wire.counting() as calls:
        for _ in range(3):
            answer = client.ask("OPTIONS", "/oauth/token", headers={"Origin": "https://portal.example"})
            assert answer["statusCode"] == 204
    assert [call.operation for call in calls] == ["Query"]


# --- lists ---


def test_a_list_is_whole_whatever_its_pages(client: Client, house: House, account: Account) -> None:
    # given: more than one page of each
    event_id = client.event()
    for number in range(120):
        body = {"name": f"Guest {number}", "email": f"guest{number}@example.org"}
        client.call("POST", f"/v1/event/{event_id}/registrant", body)
    store = visits_of(house)
    for number in range(120):
        guest = visit(account, event_id, number, START + number * SECOND)
        store.begin(guest)
        store.mark(guest)
    # then
    registrants = client.call("GET", f"/v1/event/{event_id}/registrants")
    assert {one["email"] for one in registrants} == {f"guest{number}@example.org" for number in range(120)}
    path = f"/analytics/events/{event_id}/user-activity"
    first, second = (client.call("POST", path, query={"page": str(page)}) for page in (1, 2))
    assert (len(first["items"]), len(second["items"]), second["totalCount"]) == (100, 20, 120)
    # in the order of their coming, over all pages
    people = [item["userId"] for item in (*first["items"], *second["items"])]
    assert people == [f"portal-{number}" for number in range(120)]


def test_a_list_that_does_not_fit_is_refused_and_not_cut(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    event_id = client.event(metadata={"a": "x" * 500})
    for number in range(3):
        body = {"name": f"Guest {number}", "email": f"guest{number}@example.org"}
        client.call("POST", f"/v1/event/{event_id}/registrant", body)
    said = {
        "hasError": True,
        "errorMessage": "That is more than one answer holds; the native API has it in pages.",
    }
    with monkeypatch.context() as few:
        few.setattr(sequels, "ENTRIES_AT_MOST", 2)
        answer = client.ask("GET", f"/v1/event/{event_id}/registrants")
        assert (answer["statusCode"], json_of(answer)) == (501, said)
    monkeypatch.setattr(front_door, "ANSWER_LIMIT", 500)
    answer = client.ask("GET", f"/v1/company/{client.client_id}/events")
    assert (answer["statusCode"], json_of(answer)) == (501, said)


def test_events_of_a_year_ago_are_listed_and_older_ones_not(client: Client, clock: FakeClock) -> None:
    event_id = client.event()
    path = f"/v1/company/{client.client_id}"
    assert client.call("GET", path)["eventIds"] == [event_id]
    assert [one["uid"] for one in client.call("GET", f"{path}/events")] == [event_id]
    clock.advance(sequels.EVENTS_FROM)  # it was half a year ago
    client.renew()
    assert client.call("GET", path)["eventIds"] == [event_id]
    clock.advance(sequels.EVENTS_FROM // 2)
    client.renew()
    assert client.call("GET", path)["eventIds"] == []
    assert client.call("GET", f"/v1/event/{event_id}")["uid"] == event_id


# --- people in a minute ---


def test_everybody_counts_in_each_minute_that_they_saw(account: Account) -> None:
    visits = [
        visit(account, "1", 1, START, seconds=59),
        visit(account, "1", 2, START + 30 * SECOND, seconds=90),
        visit(account, "1", 3, START + 10 * MINUTE, seconds=0),
    ]
    assert per_minute(visits) == [(0, 2), (1, 1), (2, 1), (10, 1)]
    assert per_minute([]) == []


# --- races and outages ---


def test_two_who_change_an_event_at_once_both_succeed(client: Client, wire: Wire) -> None:
    # given
    event_id = client.event()
    path = f"/v1/event/{event_id}/presenter"
    # when: somebody is faster between reading and writing
    wire.before("PutItem", lambda: client.call("PUT", path, {"presenter": "faster"}))
    # then
    assert client.call("PUT", path, {"presenter": "slower"}) == ["faster", "slower"]


def test_who_is_always_overtaken_is_told(client: Client, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def overtaken(*_: object, **__: object) -> None:
        raise VersionMismatchError

    event_id = client.event()
    monkeypatch.setattr(house.sessions, "change", overtaken)
    answer = client.ask("POST", f"/v1/event/{event_id}", {"name": "Slower"})
    said = {"hasError": True, "errorMessage": "The event was changed at the same moment"}
    assert (answer["statusCode"], json_of(answer)) == (400, said)


@pytest.mark.req("R01", "P03")
@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [("GET", "/v1/event/12345678", "GetItem"), ("OPTIONS", "/oauth/token", "Query")],
)
def test_an_outage_is_said_in_the_vendors_shape(
    client: Client, wire: Wire, method: str, path: str, operation: str
) -> None:
    wire.fail(operation, "ThrottlingException", times=10)
    answer = client.ask(method, path, headers={"Origin": "https://portal.example"})
    said = {"hasError": True, "errorMessage": "The service is briefly unavailable. Please try again."}
    assert (answer["statusCode"], json_of(answer)) == (503, said)
    assert header(answer, "retry-after") == "1"


@pytest.mark.req("P09")
def test_an_answer_to_an_allowed_page_says_so_when_it_is_a_refusal(client: Client, house: House) -> None:
    account_id = client.client_id.partition("-")[0]
    house.accounts.change(account_id, {"allowed_origins": ["https://portal.example"]})
    for method, path, status in (("GET", "/v1/event/x", 404), ("GET", "/nothing", 404), ("PATCH", "/v1/event/x", 501)):
        answer = client.ask(method, path, headers={"Origin": "https://portal.example"})
        assert (answer["statusCode"], header(answer, "access-control-allow-origin")) == (
            status,
            "https://portal.example",
        )
