"""Registrants: one an address, whatever its spelling and whatever happens in whatever order."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.support.events import CONTEXT, header, json_of, native_event
from tests.support.house import START, open_account, plan_lecture
from vestibule import ids
from vestibule.clock import SECOND
from vestibule.domain import people
from vestibule.domain.places import PARTS
from vestibule.domain.registrants import NewRegistrant
from vestibule.errors import ConflictError, InvalidError, NotFoundError, UnavailableError
from vestibule.http.shapes.registrants import RegistrantView
from vestibule.model import EventKind, Registration
from vestibule.store.items import unpack

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.house import FakeClock, LoadFunction, MakeHouse, MotoAws, SdkCall, Wire
    from vestibule.model import Account, Registrant, Session
    from vestibule.settings import Settings
    from vestibule.wiring import House

SPELLINGS = ["ada@bücher.example", " Ada@Bücher.example ", "ADA@BÜCHER.EXAMPLE", "ada@xn--bcher-kva.example"]


@pytest.fixture
def session(house: House, account: Account) -> Session:
    return plan(house, account)


def plan(house: House, account: Account, capacity: int | None = None) -> Session:
    return plan_lecture(house, account, registration=Registration(capacity=capacity))


def person(number: int | str, **fields: Any) -> NewRegistrant:
    return NewRegistrant(name=f"Guest {number}", email=f"guest{number}@example.org", **fields)


def register(house: House, session: Session, who: NewRegistrant | int = 1) -> Registrant:
    wanted = who if isinstance(who, NewRegistrant) else person(who)
    return house.registrants.register(session.account_id, session.session_id, wanted)


def token_of(house: House, account: Account, registrant: Registrant) -> str:
    return house.links.join_url(account.slug, registrant).rpartition("/")[2]


def cost(calls: Iterable[SdkCall]) -> list[tuple[str, int]]:
    return [(call.operation, call.write_units) for call in calls]


# --- registering ----------------------------------------------------------------------------------------


@pytest.mark.req("E04", "E05")
def test_a_registrant_has_a_link_into_its_session_alone(house: House, account: Account, session: Session) -> None:
    # when
    made = register(house, session, person(1, metadata={"company": "Babbage & Söhne"}))

    # then
    assert ids.is_object_id(made.registrant_id)
    url = house.links.join_url(account.slug, made)
    assert url.startswith(f"https://clinic.hub.vestibule.example/r/{session.session_id}-{made.registrant_id}-")
    assert "guest" not in url
    assert house.registrants.prove(account.account_id, token_of(house, account, made)) == (session, made)
    assert house.registrants.get(account.account_id, session.session_id, made.registrant_id) == made


@pytest.mark.req("E05")
def test_no_other_text_is_a_link(house: House, account: Account, session: Session) -> None:
    # given
    made = register(house, session)
    elsewhere = plan(house, account)
    stranger = open_account(house, "other")
    session_id, registrant_id, proof = token_of(house, account, made).split("-", 2)

    # then
    for text in (
        "",
        "x",
        f"{session_id}-{registrant_id}",
        f"{session_id}-{registrant_id}-{'A' * len(proof)}",
        f"{session_id}-{registrant_id}-{proof}x",
        f"{session_id}-{registrant_id}-ä",
        f"{elsewhere.session_id}-{registrant_id}-{proof}",
        f"{session_id}-12345678-{proof}",
        f"{'9' * 3_000}-{registrant_id}-{proof}",
    ):
        assert house.registrants.prove(account.account_id, text) is None
    assert house.registrants.prove(stranger.account_id, f"{session_id}-{registrant_id}-{proof}") is None


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.req("E04")
def test_one_address_in_whatever_spelling_is_one_registrant(house: House, session: Session, spelling: str) -> None:
    first = register(house, session, NewRegistrant(name="Ada", email=SPELLINGS[0]))
    with pytest.raises(ConflictError, match="registrant_exists") as refused:
        register(house, session, NewRegistrant(name="Ada", email=spelling))
    assert refused.value.facts == {"registrant_id": first.registrant_id}
    assert house.registrants.with_email(session.account_id, session.session_id, spelling) == first


@pytest.mark.req("E04")
def test_an_address_is_free_in_every_other_session(house: House, account: Account, session: Session) -> None:
    first, second = register(house, session), register(house, plan(house, account))
    assert first.registrant_id != second.registrant_id


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"email": "ada"}, ["email"]),
        ({"email": "a@b"}, ["email"]),
        ({"email": "a b@example.org"}, ["email"]),
        ({"email": "ada@example.org\r\nBcc: x@y.org"}, ["email"]),
        ({"email": "ada@-.org"}, ["email"]),
        ({"email": "x" * 250 + "@example.org"}, ["email"]),
        ({"name": ""}, ["name"]),
        ({"name": "a\nb"}, ["name"]),
        ({"metadata": {"x": "y" * 8_192}}, ["metadata"]),
        ({"name": "", "email": ""}, ["name", "email"]),
    ],
    ids=lambda value: str(value)[:40],
)
@pytest.mark.req("P04")
def test_a_broken_member_is_named_and_nobody_registered(
    house: House, session: Session, fields: dict[str, Any], names: list[str]
) -> None:
    with pytest.raises(InvalidError) as refused:
        register(house, session, replace(person(1), **fields))
    assert [error.field for error in refused.value.errors] == names
    assert house.registrants.page(session.account_id, session.session_id, after=None, limit=10) == ([], None)


def test_8_kilobytes_of_metadata_are_kept_to_the_letter(house: House, session: Session) -> None:
    metadata = {"ü": "y" * 8_000, "deep": [{"a": None, "b": 1.5}]}
    made = register(house, session, person(1, metadata=metadata))
    found = house.registrants.get(session.account_id, session.session_id, made.registrant_id)
    assert json.loads(found.metadata) == metadata
    assert people.of_registrant(found).metadata == found.metadata


@pytest.mark.req("P05")
def test_a_session_that_is_none_or_cancelled_takes_nobody(house: House, account: Account, session: Session) -> None:
    stranger = open_account(house, "other")
    with pytest.raises(NotFoundError, match="session_not_found"):
        house.registrants.register(stranger.account_id, session.session_id, person(1))
    house.sessions.cancel(account.account_id, session.session_id)
    with pytest.raises(ConflictError, match="session_cancelled"):
        register(house, session)


def test_a_cancelled_session_takes_nobody_after_5_seconds_anywhere(
    house: House, make_house: MakeHouse, clock: FakeClock, session: Session
) -> None:
    # given: a worker that has seen the session a moment ago
    other = make_house(seed=2)
    register(other, session, 1)
    house.sessions.cancel(session.account_id, session.session_id)
    # when
    clock.advance(5 * SECOND)
    # then
    with pytest.raises(ConflictError, match="session_cancelled"):
        register(other, session, 2)


def test_only_a_registration_that_asks_for_it_causes_a_mail(
    house: House, session: Session, moto_aws: MotoAws, settings: Settings
) -> None:
    quiet, loud = register(house, session, 1), register(house, session, person(2, confirm=True))
    rotated = house.registrants.rotate(session.account_id, session.session_id, loud.registrant_id)

    assert quiet.event is None
    assert loud.event is not None
    assert loud.event.kind is EventKind.REGISTERED
    assert rotated.event == loud.event, "the same id: the outbox does not mail it again"
    events = [unpack(item).get("event") for item in moto_aws.stored(settings.directory_table)]
    assert [one for one in events if one] == [{"event_id": loud.event.event_id, "kind": "registered", "at": START}]


# --- what it costs --------------------------------------------------------------------------------------


def test_registering_is_one_write_without_a_limit(house: House, wire: Wire, session: Session) -> None:
    # given: a worker that has seen the session within 5 s
    register(house, session, 1)
    # when
    with wire.counting() as calls:
        register(house, session, 2)
    # then
    assert cost(calls) == [("PutItem", 1)]


def test_registering_with_a_limit_is_one_transaction_of_two(house: House, account: Account, wire: Wire) -> None:
    session = plan(house, account, capacity=100)
    register(house, session, 1)
    with wire.counting() as calls:
        register(house, session, 2)
    assert [call.operation for call in calls] == ["TransactWriteItems"]
    assert len(calls[0].request["TransactItems"]) == 2


def test_a_link_is_proven_by_one_read_of_two_items(
    house: House, account: Account, wire: Wire, session: Session
) -> None:
    token = token_of(house, account, register(house, session))
    with wire.counting() as calls:
        assert house.registrants.prove(account.account_id, token)
    assert [(call.operation, call.read_units) for call in calls] == [("BatchGetItem", 2)]


@pytest.mark.req("R01")
def test_a_lost_answer_is_the_same_registration(house: House, wire: Wire, session: Session) -> None:
    wire.lose_answer("PutItem")
    made = register(house, session)
    assert house.registrants.get(session.account_id, session.session_id, made.registrant_id) == made


@pytest.mark.req("R01", "E09")
def test_a_lost_answer_takes_one_place(house: House, account: Account, wire: Wire) -> None:
    session = plan(house, account, capacity=2)
    wire.lose_answer("TransactWriteItems")
    register(house, session, 1)
    register(house, session, 2)
    with pytest.raises(ConflictError, match="session_full"):
        register(house, session, 3)


@pytest.mark.req("R01")
def test_an_outage_registers_nobody(house: House, wire: Wire, session: Session) -> None:
    register(house, session, 1)
    wire.fail("PutItem", "ThrottlingException")
    with pytest.raises(UnavailableError):
        register(house, session, 2)
    assert house.registrants.with_email(session.account_id, session.session_id, "guest2@example.org") is None


# --- rotating, cancelling, coming back ------------------------------------------------------------------


@pytest.mark.req("E05")
def test_a_rotated_link_is_another_and_the_old_one_is_dead(house: House, account: Account, session: Session) -> None:
    made = register(house, session)
    rotated = house.registrants.rotate(account.account_id, session.session_id, made.registrant_id)
    assert house.registrants.prove(account.account_id, token_of(house, account, made)) is None
    assert house.registrants.prove(account.account_id, token_of(house, account, rotated)) == (session, rotated)


@pytest.mark.req("E05")
def test_who_cancels_is_gone_but_for_a_mark_and_comes_back_with_another_link(
    house: House, account: Account, session: Session, moto_aws: MotoAws, settings: Settings
) -> None:
    # given
    made = register(house, session, person(1, metadata={"badge": "4711"}))

    # when
    house.registrants.cancel(account.account_id, session.session_id, made.registrant_id)

    # then
    assert house.registrants.prove(account.account_id, token_of(house, account, made)) is None
    for act in (house.registrants.get, house.registrants.cancel, house.registrants.rotate):
        with pytest.raises(NotFoundError):
            act(account.account_id, session.session_id, made.registrant_id)
    held = json.dumps(moto_aws.stored(settings.directory_table))
    assert "guest1" not in held
    assert "4711" not in held
    assert house.registrants.page(account.account_id, session.session_id, after=None, limit=10) == ([], None)

    # when
    again = register(house, session)

    # then
    assert again.registrant_id == made.registrant_id
    assert house.registrants.prove(account.account_id, token_of(house, account, made)) is None
    assert house.registrants.prove(account.account_id, token_of(house, account, again)) == (session, again)


@pytest.mark.req("L04")
def test_no_link_stands_in_a_table(
    house: House, account: Account, session: Session, moto_aws: MotoAws, settings: Settings
) -> None:
    token = token_of(house, account, register(house, session))
    assert token.rpartition("-")[2] not in json.dumps(moto_aws.stored(settings.directory_table))


# --- limited places -------------------------------------------------------------------------------------


@pytest.mark.parametrize("capacity", [1, 3, PARTS + 5])
@pytest.mark.req("E09")
def test_of_three_times_as_many_exactly_the_limit_is_let_in(house: House, account: Account, capacity: int) -> None:
    session = plan(house, account, capacity=capacity)
    for number in range(capacity):
        register(house, session, number)
    for number in range(capacity, 3 * capacity):
        with pytest.raises(ConflictError, match="session_full"):
            register(house, session, number)
    listed, _ = house.registrants.page(account.account_id, session.session_id, after=None, limit=100)
    assert len(listed) == capacity


@pytest.mark.req("E09")
def test_a_place_is_free_again_when_its_registrant_cancels(house: House, account: Account) -> None:
    session = plan(house, account, capacity=2)
    first, _ = register(house, session, 1), register(house, session, 2)
    with pytest.raises(ConflictError, match=r"registrant_exists|session_full"):
        register(house, session, 1)
    house.registrants.cancel(account.account_id, session.session_id, first.registrant_id)
    register(house, session, 3)
    with pytest.raises(ConflictError, match="session_full"):
        register(house, session, 1)


@pytest.mark.parametrize(("before", "limit", "free"), [(5, 8, 3), (5, 5, 0), (5, 2, 0), (0, 2, 2)])
@pytest.mark.req("E09")
def test_a_limit_that_is_set_later_counts_those_who_are_there(
    house: House, make_house: MakeHouse, account: Account, before: int, limit: int, free: int
) -> None:
    # given
    session = plan(house, account)
    there = [register(house, session, number) for number in range(before)]
    # when
    house.sessions.change(account.account_id, session.session_id, {"registration": Registration(capacity=limit)})
    # then
    other = make_house(seed=2)
    for number in range(100, 100 + free):
        register(other, session, number)
    with pytest.raises(ConflictError, match="session_full"):
        register(other, session, 200)
    # when: somebody of before leaves
    if there and before < limit:
        other.registrants.cancel(account.account_id, session.session_id, there[0].registrant_id)
        # then
        register(other, session, 200)
        with pytest.raises(ConflictError, match="session_full"):
            register(other, session, 201)


# --- over the API ---------------------------------------------------------------------------------------


@pytest.fixture
def call(function: LoadFunction, account: Account, session: Session) -> Any:
    def make(method: str, path: str = "", body: Any = None, **further: Any) -> tuple[int, Any]:
        folder = "registrant_create" if method == "POST" and "rotate" not in path else "registrants"
        whole = f"/v1/sessions/{session.session_id}/registrants{path}"
        event = native_event(method, whole, body=body, account_id=account.account_id, **further)
        answer = function(folder)(event, CONTEXT)
        return answer["statusCode"], (json_of(answer) if answer["body"] else None, answer)

    return make


@pytest.mark.req("E04")
def test_a_registrant_lives_over_the_api(call: Any, session: Session) -> None:
    # when
    status, (made, answer) = call("POST", "", {"name": "Ada", "email": "Ada@Example.org", "metadata": {"a": 1}})

    # then
    assert status == 201
    assert header(answer, "location") == f"/v1/sessions/{session.session_id}/registrants/{made['id']}"
    assert set(made) == {
        "id", "session_id", "name", "email", "metadata", "join_url", "created_at", "updated_at"
    }  # fmt: skip
    assert call("GET", f"/{made['id']}")[1][0] == made
    assert call("GET", "", query={"email": "ada@example.org"})[1][0] == {"items": [made], "cursor": None}
    assert call("GET", "", query={"email": "nobody@example.org"})[1][0]["items"] == []
    assert call("GET", "", query={"email": "x"})[1][0]["items"] == []

    # when
    status, (refused, answer) = call("POST", "", {"name": "Eve", "email": "ada@example.org"})

    # then: whose it is, never the link
    assert (status, refused["code"], refused["registrant_id"]) == (409, "registrant_exists", made["id"])
    assert "/r/" not in answer["body"]

    # when
    _, (rotated, _) = call("POST", f"/{made['id']}/rotate")

    # then
    assert rotated["join_url"] != made["join_url"]
    assert call("DELETE", f"/{made['id']}")[0] == 204
    assert call("GET", f"/{made['id']}")[0] == 404


@pytest.mark.req("P02")
def test_a_registration_under_one_key_is_one_and_answered_twice(call: Any) -> None:
    body, key = {"name": "Ada", "email": "ada@example.org"}, {"Idempotency-Key": "k-1"}
    first = call("POST", "", body, headers=key)
    second = call("POST", "", body, headers=key)
    assert (first[0], second[0]) == (201, 201)
    assert first[1][0] == second[1][0]
    assert header(second[1][1], "idempotent-replayed") == "true"
    assert call("POST", "", body, headers={"Idempotency-Key": "k-2"})[1][0]["code"] == "registrant_exists"


@pytest.mark.req("P02", "R01")
def test_a_registration_whose_attempt_died_is_found_by_the_next(call: Any, wire: Wire, clock: FakeClock) -> None:
    # given: the registrant was written, and then nothing more worked
    body, key = {"name": "Ada", "email": "ada@example.org"}, {"Idempotency-Key": "k-1"}
    wire.fail("PutItem", "ThrottlingException", skip=2)
    assert call("POST", "", body, headers=key)[0] == 201
    clock.advance(20 * SECOND)
    # when
    status, (found, answer) = call("POST", "", body, headers=key)
    # then
    assert status == 201
    assert found["email"] == "ada@example.org"
    assert header(answer, "idempotent-replayed") == "true"


def test_a_batch_says_of_everybody_what_came_of_them(call: Any) -> None:
    _, (known, _) = call("POST", "", {"name": "Ada", "email": "ada@example.org"})
    people = [
        {"name": "Bob", "email": "bob@example.org"},
        {"name": "Ada again", "email": "ADA@example.org"},
        {"name": "", "email": "x"},
        {"name": "Bob again", "email": "bob@example.org"},
    ]

    status, (answer, _) = call("POST", "/batch", {"registrants": people})

    assert status == 200
    bob, ada, broken, again = answer["results"]
    assert (bob["status"], bob["registrant"]["name"]) == (201, "Bob")
    assert (ada["status"], ada["code"], ada["registrant_id"]) == (409, "registrant_exists", known["id"])
    assert (broken["status"], [error["field"] for error in broken["errors"]]) == (422, ["name", "email"])
    assert again["registrant_id"] == bob["registrant"]["id"]


@pytest.mark.req("R01")
def test_of_a_batch_that_takes_too_long_the_rest_is_told_to_come_again(
    call: Any, house: House, session: Session, wire: Wire, clock: FakeClock
) -> None:
    # given: tables that take two seconds each time
    people = [{"name": "x", "email": f"p{number}@example.org"} for number in range(5)]
    wire.before("PutItem", lambda: clock.advance(2 * SECOND), times=5)
    # when
    status, (answer, _) = call("POST", "/batch", {"registrants": people})
    # then
    assert status == 200
    assert [one["status"] for one in answer["results"]] == [201, 201, 201, 503, 503]
    assert answer["results"][3]["code"] == "temporarily_unavailable"
    # and: sent again, it registers the others
    wire.reset()
    _, (answer, _) = call("POST", "/batch", {"registrants": people})
    assert [one["status"] for one in answer["results"]] == [409, 409, 409, 201, 201]
    listed, _ = house.registrants.page(session.account_id, session.session_id, after=None, limit=100)
    assert len(listed) == len(people)


def test_a_batch_is_at_most_100_and_a_megabyte(call: Any) -> None:
    def batch(count: int, size: int) -> dict[str, Any]:
        one = {"name": "x", "metadata": {"m": "y" * size}}
        return {"registrants": [one | {"email": f"p{number}@example.org"} for number in range(count)]}

    assert call("POST", "/batch", batch(100, 8_000))[0] == 200
    assert call("POST", "/batch", batch(101, 1))[0] == 422
    assert call("POST", "/batch", {"registrants": []})[0] == 422
    assert call("POST", "/batch", batch(100, 11_000))[0] == 413
    assert call("POST", "", batch(1, 70_000)["registrants"][0])[0] == 413
    assert call("POST", "/batch", batch(1, 1), headers={"Idempotency-Key": "k"})[0] == 400


def test_a_list_goes_on_where_it_ended(house: House, call: Any, session: Session) -> None:
    # given
    made = {register(house, session, number).registrant_id for number in range(25)}
    # when
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        _, (page, _) = call("GET", "", query={"limit": "4", **cursor})
        assert len(page["items"]) <= 4
        seen += [item["id"] for item in page["items"]]
        if page["cursor"] is None:
            break
        cursor = {"cursor": page["cursor"]}
    # then
    assert len(seen) == len(set(seen))
    assert set(seen) == made


# --- whatever happens in whatever order -----------------------------------------------------------------


@dataclass
class Signed:
    """What is true of one address: registered now or not, and every link that it was ever given."""

    now: Registrant | None = None
    links: list[str] = field(default_factory=list)


class LifeOfRegistrants(RuleBasedStateMachine):
    """Some addresses, two workers, one session with a limit, and ids so few that they collide."""

    make_house: MakeHouse
    clock: FakeClock
    moto_aws: MotoAws

    numbers = st.integers(0, 7)
    workers = st.integers(0, 1)

    @initialize(capacity=st.sampled_from([None, 3, 6]))
    def open(self, capacity: int | None) -> None:
        self.moto_aws.reset()
        self.clock.now = START
        self.houses = [self.make_house(1), self.make_house(2)]
        self.account = open_account(self.houses[0])
        self.session = plan(self.houses[0], self.account, capacity)
        self.capacity = capacity
        self.people = [Signed() for _ in range(8)]
        self.last = 0

    def count(self) -> int:
        return sum(signed.now is not None for signed in self.people)

    @rule(number=numbers, worker=workers, loud=st.booleans())
    def register(self, number: int, worker: int, loud: bool) -> None:  # noqa: FBT001 - hypothesis hands it in by name
        email = f"guest{number}@example.org"
        wanted = NewRegistrant(name="x", email=email.upper() if loud else email)
        self.last = number
        signed = self.people[number]
        is_full = self.capacity is not None and self.count() >= self.capacity
        if signed.now is not None or is_full:
            with pytest.raises(ConflictError) as refused:
                register(self.houses[worker], self.session, wanted)
            expected = {"registrant_exists"} if signed.now else set()
            assert refused.value.code in expected | ({"session_full"} if is_full else set())
            return
        made = register(self.houses[worker], self.session, wanted)
        signed.now = made
        signed.links.append(token_of(self.houses[0], self.account, made))

    @rule(number=numbers, worker=workers)
    def cancel(self, number: int, worker: int) -> None:
        self.last = number
        signed = self.people[number]
        if signed.now is None:
            return
        self.houses[worker].registrants.cancel(
            self.account.account_id, self.session.session_id, signed.now.registrant_id
        )
        signed.now = None

    @rule(number=numbers, worker=workers)
    def rotate(self, number: int, worker: int) -> None:
        self.last = number
        signed = self.people[number]
        if signed.now is None:
            return
        signed.now = self.houses[worker].registrants.rotate(
            self.account.account_id, self.session.session_id, signed.now.registrant_id
        )
        signed.links.append(token_of(self.houses[0], self.account, signed.now))

    @rule(capacity=st.sampled_from([None, 2, 5, 7]))
    def limit(self, capacity: int | None) -> None:
        changed = {"registration": Registration(capacity=capacity)}
        self.houses[0].sessions.change(self.account.account_id, self.session.session_id, changed)
        self.capacity = capacity
        self.clock.advance(5 * SECOND)  # what every worker may remember

    @invariant()
    def who_was_just_here_is_found_by_address_and_newest_link_alone(self) -> None:
        if hasattr(self, "people"):
            self.look(self.last)

    def teardown(self) -> None:
        for number in range(len(getattr(self, "people", ()))):
            self.look(number)

    def look(self, number: int) -> None:
        rooms, signed = self.houses[0].registrants, self.people[number]
        email = f"Guest{number}@example.org"
        assert rooms.with_email(self.account.account_id, self.session.session_id, email) == signed.now
        proven = [rooms.prove(self.account.account_id, link) for link in dict.fromkeys(signed.links)]
        assert [one[1] for one in proven if one] == ([signed.now] if signed.now else [])

    @invariant()
    def the_list_holds_everybody_once(self) -> None:
        if not hasattr(self, "people"):
            return
        listed, end = self.houses[1].registrants.page(
            self.account.account_id, self.session.session_id, after=None, limit=100
        )
        assert end is None
        expected = {signed.now.registrant_id for signed in self.people if signed.now}
        assert sorted(one.registrant_id for one in listed) == sorted(expected)


@pytest.mark.req("E04", "E05", "E09")
def test_registrants_agree_with_the_model(
    make_house: MakeHouse, clock: FakeClock, moto_aws: MotoAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: forty ids for eight addresses
    monkeypatch.setattr(ids, "object_id_of", lambda mark: str(10_000_000 + int(mark, 16) % 40))

    class OfThisTest(LifeOfRegistrants):
        pass

    OfThisTest.make_house = staticmethod(make_house)
    OfThisTest.clock = clock
    OfThisTest.moto_aws = moto_aws
    run_state_machine_as_test(
        OfThisTest,
        settings=profile(
            max_examples=8, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_the_view_of_one_holds_no_mark(house: House, account: Account, session: Session) -> None:
    made = register(house, session)
    assert made.email_mark not in json.dumps(RegistrantView(account, house.links).one(made))
