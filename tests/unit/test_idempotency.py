"""Idempotency keys: one creation a key, whatever dies in between, on moto with a clock that stands still."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.support.events import CONTEXT, caller, header, json_of, native_event
from tests.support.house import FakeClock, SeededRandomness, open_account
from vestibule import ids
from vestibule.clock import DAY
from vestibule.domain.idempotency import LEASE, Ask, Idempotency, IdTakenError
from vestibule.errors import (
    BusyError,
    ConflictError,
    NotFoundError,
    ReusedKeyError,
    UnavailableError,
    VestibuleError,
)
from vestibule.model import ClaimState
from vestibule.store.idempotency import REMEMBERED_FOR
from vestibule.store.table import ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.support.house import Handler, LoadFunction, MotoAws, Wire
    from vestibule.model import Account, Claim
    from vestibule.settings import Settings
    from vestibule.wiring import House

ADA = {"full_name": "Ada Lovelace", "external_id": "mrn-1"}
FUNCTION_TIMEOUT = 10_000
"""Milliseconds; `Globals` in template.yaml."""


@dataclass
class Front:
    """The users function as a client of an account calls it."""

    handler: Handler
    account: Account

    def create(
        self, key: str | None, body: Mapping[str, Any] | str = ADA, *, client: str = "", resource: str = "/v1/users"
    ) -> dict[str, Any]:
        headers = {} if key is None else {"Idempotency-Key": key}
        said = caller(self.account.account_id, client_id=client)
        answer: dict[str, Any] = self.handler(
            native_event("POST", resource, body=body, headers=headers, authorizer=said), CONTEXT
        )
        return answer

    def users(self) -> list[dict[str, Any]]:
        event = native_event("GET", "/v1/users", account_id=self.account.account_id)
        items: list[dict[str, Any]] = json_of(self.handler(event, CONTEXT))["items"]
        return items


@pytest.fixture
def front(function: LoadFunction, account: Account) -> Front:
    return Front(function("users"), account)


def refused(answer: Mapping[str, Any]) -> tuple[int, str]:
    return answer["statusCode"], json_of(answer)["code"]


def kill(*_: Any, **__: Any) -> None:
    """End the function's process, as far as the code around can tell."""
    raise SystemExit


# --- over HTTP ------------------------------------------------------------------------------------------


@pytest.mark.req("P02")
def test_a_repeat_gets_the_same_object_and_is_told_so(front: Front) -> None:
    # When
    first, again = front.create("k-1"), front.create("k-1")

    # Then
    assert (first["statusCode"], again["statusCode"]) == (201, 201)
    assert json_of(again) == json_of(first)
    assert header(again, "Location") == header(first, "Location")
    assert header(first, "Idempotent-Replayed") is None
    assert header(again, "Idempotent-Replayed") == "true"
    assert len(front.users()) == 1


@pytest.mark.req("P02")
def test_a_repeat_shows_the_object_as_it_is_by_then(front: Front, house: House, account: Account) -> None:
    # Given
    user_id = json_of(front.create("k-1"))["id"]
    house.users.change(account.account_id, user_id, {"full_name": "Ada King"})

    # Then
    assert json_of(front.create("k-1"))["full_name"] == "Ada King"

    # When: and by then it may be gone
    house.users.delete(account.account_id, user_id)

    # Then
    assert refused(front.create("k-1")) == (404, "user_not_found")
    assert front.users() == []


@pytest.mark.req("P02")
def test_without_a_key_every_call_creates(front: Front) -> None:
    body = {"full_name": "Ada Lovelace"}
    assert [front.create(None, body)["statusCode"] for _ in range(2)] == [201, 201]
    assert len(front.users()) == 2


@pytest.mark.req("P02")
def test_the_same_body_may_be_spelled_otherwise_and_another_body_is_refused(front: Front) -> None:
    # Given
    first = front.create("k-1", '{"full_name": "Ada Löve", "email": "ada@example.org"}')

    # Then
    again = front.create("k-1", '{ "email":"ada@example.org",\n "full_name": "Ada L\\u00f6ve" }')
    assert json_of(again) == json_of(first)
    assert refused(front.create("k-1", {"full_name": "Ada Löve"})) == (422, "idempotency_key_reused")
    assert len(front.users()) == 1


@pytest.mark.req("P02")
def test_a_key_is_one_clients_own_in_one_account_for_one_route(
    front: Front, house: House, function: LoadFunction
) -> None:
    # Given
    body = {"full_name": "Ada Lovelace"}
    other = Front(front.handler, open_account(house, "other"))
    rooms = Front(function("rooms"), front.account)

    # When
    answers = [
        front.create("k-1", body),
        front.create("k-1", body, client=f"{front.account.account_id}-another"),
        other.create("k-1", body, client=f"{front.account.account_id}-testing"),
        rooms.create("k-1", {"name": "Walk-ins"}, resource="/v1/rooms"),
    ]

    # Then
    assert [header(answer, "Idempotent-Replayed") for answer in answers] == [None] * 4
    assert len({json_of(answer)["id"] for answer in answers}) == 4


@pytest.mark.req("P02")
@pytest.mark.parametrize(
    ("bare", "quoted"),
    [("k-1", '"k-1"'), (r"a \ b", r'"a \\ b"'), ('say "a"', r'  "say \"a\""  '), ("a;b=c", '"a;b=c"')],
)
def test_the_drafts_quoted_form_is_the_same_key_as_the_bare_one(front: Front, bare: str, quoted: str) -> None:
    # Given
    first = front.create(bare)

    # Then
    assert json_of(front.create(quoted)) == json_of(first)
    assert len(front.users()) == 1


@pytest.mark.req("P02", "P04")
@pytest.mark.parametrize(
    "key", ["", "   ", '""', '"', '"open', '"a" b', '"a"; x=1', r'"a\b"', "x" * 256, "clé", "a\tb", "a\x7fb", "a\x00b"]
)
def test_a_malformed_key_is_refused_and_creates_nothing(front: Front, key: str) -> None:
    assert refused(front.create(key)) == (400, "invalid_idempotency_key")
    assert front.users() == []


@pytest.mark.req("P02")
@pytest.mark.parametrize("key", ["x", "x" * 255, "~ !#", "8e03978e-40d5-43e8-bc93-6894a57f9324"])
def test_a_key_has_1_to_255_printable_ascii_characters(front: Front, key: str) -> None:
    assert front.create(key)["statusCode"] == 201


@pytest.mark.req("P02", "P07")
@pytest.mark.parametrize(
    ("name", "resource", "path_values"),
    [
        ("login_uri_issue", "/v1/login-uris", {}),
        ("api_clients", "/v1/account/clients", {}),
        ("api_clients", "/v1/account/clients/{client_id}/rotate", {"client_id": "1-x"}),
    ],
)
def test_what_answers_with_a_fresh_secret_takes_no_key(
    function: LoadFunction, account: Account, name: str, resource: str, path_values: dict[str, str]
) -> None:
    # When
    event = native_event(
        "POST",
        resource.format(**path_values),
        resource=resource,
        path_values=path_values,
        headers={"Idempotency-Key": "k-1"},
        body={},
        account_id=account.account_id,
    )

    # Then
    assert refused(function(name)(event, CONTEXT)) == (400, "idempotency_key_not_supported")


@pytest.mark.req("P02")
def test_a_refusal_gives_the_key_back(front: Front) -> None:
    # Given
    front.create(None, ADA)
    assert refused(front.create("k-1", ADA)) == (409, "external_id_taken")
    assert refused(front.create("k-1", {"full_name": "Ada", "time_zone": "Mars/Olympus"})) == (422, "invalid_request")

    # When
    answer = front.create("k-1", {"full_name": "Ada", "external_id": "mrn-2"})

    # Then
    assert answer["statusCode"] == 201
    assert header(answer, "Idempotent-Replayed") is None


@pytest.mark.req("P02")
def test_while_the_first_call_runs_a_repeat_is_sent_away_for_a_moment(
    front: Front, wire: Wire, clock: FakeClock
) -> None:
    # Given: the repeat comes between the claim and the creation
    meanwhile: list[dict[str, Any]] = []
    wire.before("TransactWriteItems", lambda: meanwhile.append(front.create("k-1")))

    # When
    first = front.create("k-1")

    # Then
    (repeat,) = meanwhile
    assert first["statusCode"] == 201
    assert refused(repeat) == (409, "idempotency_key_in_use")
    assert header(repeat, "Retry-After") == "1"
    assert len(front.users()) == 1


@pytest.mark.req("P02", "R01")
def test_a_creation_that_died_before_its_mark_is_found_by_the_repeat(
    front: Front, house: House, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given: the process ends right after the user was written
    with monkeypatch.context() as dying:
        dying.setattr(Idempotency, "_finish", kill)
        with pytest.raises(SystemExit):
            front.create("k-1")
    (user,) = front.users()

    # When: nobody can know that it died, until its lease is over
    clock.advance(LEASE - 1)
    early = front.create("k-1")
    clock.advance(1)
    late = front.create("k-1")

    # Then
    assert refused(early) == (409, "idempotency_key_in_use")
    assert late["statusCode"] == 201
    assert json_of(late) == user
    assert header(late, "Idempotent-Replayed") == "true"
    assert front.users() == [user]
    assert header(front.create("k-1"), "Idempotent-Replayed") == "true"


@pytest.mark.req("P02", "R01")
def test_a_rule_that_came_to_refuse_it_meanwhile_does_not_hide_what_was_created(
    front: Front, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    with monkeypatch.context() as dying:
        dying.setattr(Idempotency, "_finish", kill)
        with pytest.raises(SystemExit):
            front.create("k-1")
    clock.advance(LEASE)

    # When: by now the creation itself would be refused
    def refuse(*_: Any, **__: Any) -> None:
        raise ConflictError("too_late", "It is too late.")

    monkeypatch.setattr("vestibule.domain.users.Users.create", refuse)
    answer = front.create("k-1")

    # Then
    assert answer["statusCode"] == 201
    assert [json_of(answer)] == front.users()


@pytest.mark.req("P02", "R01")
def test_a_call_that_died_before_its_creation_is_made_up_for_by_the_repeat(
    front: Front, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    with monkeypatch.context() as dying:
        dying.setattr("vestibule.domain.users.Users.create", kill)
        with pytest.raises(SystemExit):
            front.create("k-1")
    assert front.users() == []

    # When
    clock.advance(LEASE)
    answer = front.create("k-1")

    # Then
    assert answer["statusCode"] == 201
    assert header(answer, "Idempotent-Replayed") is None
    assert len(front.users()) == 1


@pytest.mark.req("P02", "R01")
@pytest.mark.parametrize("acted", [True, False])
def test_after_a_failure_the_repeat_may_come_at_once(front: Front, wire: Wire, *, acted: bool) -> None:
    # Given: the creation (the second put) was never answered, and only DynamoDB knows whether it acted
    def at_the_creation() -> None:
        if acted:
            wire.lose_answer("PutItem", times=3)
        else:
            wire.fail("PutItem", "InternalServerError")

    wire.before("PutItem", lambda: wire.before("PutItem", at_the_creation))
    first = front.create("k-1", {"full_name": "Ada"})
    assert first["statusCode"] == 503
    assert len(front.users()) == int(acted)

    # When
    again = front.create("k-1", {"full_name": "Ada"})

    # Then
    assert again["statusCode"] == 201
    assert header(again, "Idempotent-Replayed") == ("true" if acted else None)
    assert len(front.users()) == 1


@pytest.mark.req("P02", "R01")
@pytest.mark.parametrize("operation", ["PutItem", "TransactWriteItems"])
def test_the_sdks_own_retry_of_any_write_is_no_second_call(front: Front, wire: Wire, operation: str) -> None:
    # Given
    wire.lose_answer(operation, times=2)

    # Then
    assert front.create("k-1")["statusCode"] == 201
    assert len(front.users()) == 1
    assert header(front.create("k-1"), "Idempotent-Replayed") == "true"


@pytest.mark.req("P02", "R01")
def test_a_mark_that_cannot_be_written_spoils_nothing(front: Front, wire: Wire, clock: FakeClock) -> None:
    # Given: after the creation no put succeeds
    wire.before("TransactWriteItems", lambda: wire.fail("PutItem", "InternalServerError"))

    # When
    first = front.create("k-1")
    clock.advance(LEASE)
    again = front.create("k-1")

    # Then
    assert (first["statusCode"], again["statusCode"]) == (201, 201)
    assert json_of(again) == json_of(first)


@pytest.mark.req("P02", "R01")
def test_a_key_that_cannot_be_given_back_is_a_503_and_not_the_refusal(
    front: Front, wire: Wire, clock: FakeClock
) -> None:
    # Given
    front.create(None, ADA)
    taken = {"full_name": "Ada", "external_id": "mrn-1"}

    # When: the creation is refused, and the table fails at the record's deletion
    def fail_the_next() -> None:
        wire.before("TransactWriteItems", lambda: wire.fail("TransactWriteItems", "InternalServerError"))

    wire.before("TransactWriteItems", fail_the_next)
    first = front.create("k-1", taken)
    clock.advance(LEASE)
    again = front.create("k-1", taken)

    # Then
    assert first["statusCode"] == 503
    assert refused(again) == (409, "external_id_taken")


@pytest.mark.req("P02")
def test_a_key_stands_for_its_object_for_a_day(front: Front, clock: FakeClock) -> None:
    # Given
    body = {"full_name": "Ada Lovelace"}
    first = json_of(front.create("k-1", body))

    # Then: also while DynamoDB has not collected the record yet
    clock.advance(DAY - 1)
    assert json_of(front.create("k-1", body)) == first
    clock.advance(1)
    assert json_of(front.create("k-1", body))["id"] != first["id"]
    assert len(front.users()) == 2


@pytest.mark.req("P02")
def test_the_record_holds_ids_and_marks_and_is_collected_after_a_day(
    front: Front, moto_aws: MotoAws, settings: Settings, clock: FakeClock
) -> None:
    # When
    user_id = json_of(front.create("a-key-of-the-portal", {**ADA, "email": "ada@example.org"}))["id"]

    # Then
    (record,) = moto_aws.stored(settings.passes_table)
    assert record.keys() == {
        "pk", "key", "fingerprint", "object_id", "state", "lease_until", "revision", "created_at", "ttl",
    }  # fmt: skip
    assert record["object_id"]["S"] == user_id
    assert int(record["ttl"]["N"]) * 1_000 >= clock.now + DAY
    written = json.dumps(record)
    for told in ("a-key-of-the-portal", "Ada", "mrn-1", "ada@example.org", front.account.account_id):
        assert told not in written
    # Who reads the table and guesses the body cannot check the guess: the mark is keyed with the caller's key.
    guess = json.dumps({**ADA, "email": "ada@example.org"}, sort_keys=True, separators=(",", ":"))
    assert record["fingerprint"]["S"] not in {ids.digest(guess), ids.keyed_mark("", guess)}


@pytest.mark.req("P02")
def test_a_key_costs_two_writes_more(front: Front, wire: Wire) -> None:
    # When
    with wire.counting() as with_key:
        front.create("k-1")
    with wire.counting() as repeat:
        front.create("k-1")

    # Then
    assert [call.operation for call in with_key] == ["PutItem", "TransactWriteItems", "PutItem"]
    assert [call.operation for call in repeat] == ["PutItem", "GetItem"]


def test_a_lease_outlasts_every_function() -> None:
    assert LEASE > FUNCTION_TIMEOUT


# --- ids that are in use --------------------------------------------------------------------------------


def give(draws: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let these object ids be drawn next."""
    left = iter(draws)
    monkeypatch.setattr("vestibule.ids.new_object_id", lambda _random: next(left))


@pytest.mark.req("P02")
def test_a_drawn_id_that_is_somebody_elses_is_drawn_anew(
    front: Front, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given
    give(["11111111", "11111111", "22222222", "33333333"], monkeypatch)
    somebody = json_of(front.create(None, {"full_name": "Somebody Else"}))
    clock.advance(1)

    # When
    answer, again = front.create("k-1"), front.create("k-1")

    # Then
    assert (somebody["id"], json_of(answer)["id"]) == ("11111111", "22222222")
    assert header(answer, "Idempotent-Replayed") is None
    assert json_of(again) == json_of(answer)


@pytest.mark.req("P02")
def test_a_stranger_under_the_drawn_id_is_never_taken_for_the_earlier_attempts_work(
    front: Front, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given: an attempt drew the id of somebody else and died before it could draw another
    give(["11111111", "11111111", "22222222", "33333333"], monkeypatch)
    front.create(None, {"full_name": "Somebody Else"})
    clock.advance(1)
    with monkeypatch.context() as dying:
        dying.setattr(Idempotency, "_give_back", kill)
        with pytest.raises(SystemExit):
            front.create("k-1")

    # When
    clock.advance(LEASE)
    answer = front.create("k-1")

    # Then
    assert answer["statusCode"] == 201
    assert json_of(answer)["full_name"] == ADA["full_name"]
    assert sorted(user["full_name"] for user in front.users()) == ["Ada Lovelace", "Somebody Else"]


@pytest.mark.req("P02", "R01")
def test_an_earlier_attempts_write_that_arrives_late_is_found(
    front: Front, house: House, account: Account, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given: a first call gave up on DynamoDB, which acts on it only while the repeat is under way
    give(["11111111", "22222222"], monkeypatch)
    wire.fail("TransactWriteItems", "InternalServerError")
    assert front.create("k-1")["statusCode"] == 503
    wire.before("TransactWriteItems", lambda: house.users.create(account.account_id, ADA, "11111111"))

    # When
    answer = front.create("k-1")

    # Then
    assert answer["statusCode"] == 201
    assert json_of(answer)["id"] == "11111111"
    assert len(front.users()) == 1


# --- any order of events --------------------------------------------------------------------------------


_IDS = 8
"""So few that drawn ids clash."""


class Rows:
    """`ClaimStore` over a dictionary, with its conditions."""

    def __init__(self) -> None:
        self.rows: dict[str, Claim] = {}

    def create(self, claim: Claim) -> None:
        found = self.rows.get(claim.key)
        if found is not None and found.created_at > claim.created_at - REMEMBERED_FOR:
            raise ConditionFailedError({**_values(found)})
        self.rows[claim.key] = claim

    def replace(self, claim: Claim, *, before: Claim) -> None:
        self._follow(before)
        self.rows[claim.key] = claim

    def delete(self, claim: Claim) -> None:
        self._follow(claim)
        del self.rows[claim.key]

    def _follow(self, before: Claim) -> None:
        found = self.rows.get(before.key)
        if found is None or found.revision != before.revision:
            raise ConditionFailedError(_values(found) if found else None)


def _values(claim: Claim) -> dict[str, Any]:
    return {name: getattr(claim, name) for name in claim.__dataclass_fields__}


@dataclass(frozen=True)
class Thing:
    """What is created."""

    object_id: str
    body: str
    created_at: int


class Killed(BaseException):
    """The process of an attempt ended."""


def ask(body: str) -> Ask:
    return Ask("1", "1-client", "POST /v1/things", "k-1", body)


class OneKey(RuleBasedStateMachine):
    """One key, called again and again with two bodies, while attempts die, fail and are refused anywhere.

    Things other than the key's are created with ids of the same few, so that drawn ids clash.
    """

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.rows = Rows()
        self.things: dict[str, Thing] = {}
        self.random = SeededRandomness()
        self.random.randbelow = lambda _limit: self.random._random.randrange(_IDS)  # type: ignore[method-assign]  # noqa: SLF001
        self.idempotency = Idempotency(self.rows, self.clock, self.random)  # type: ignore[arg-type]
        self.answered: Thing | None = None
        self.since = 0

    def _create(self, body: str, then: str) -> Callable[[str], Thing]:
        def create(object_id: str) -> Thing:
            if then == "dies before":
                raise Killed
            if then == "fails before":
                raise UnavailableError("table")
            if then == "is refused":
                raise ConflictError("name_taken", "The name is taken.")
            if object_id in self.things:
                raise IdTakenError
            self.things[object_id] = Thing(object_id, body, self.clock())
            if then == "dies after":
                raise Killed
            if then == "fails after":
                raise UnavailableError("table")
            return self.things[object_id]

        return create

    def _find(self, object_id: str) -> Thing:
        if object_id not in self.things:
            raise NotFoundError("thing_not_found", "There is no such thing.")
        return self.things[object_id]

    @precondition(lambda self: len(self.things) < _IDS - 1)
    @rule(
        body=st.sampled_from(["body", "another"]),
        then=st.sampled_from(
            ["works", "works", "dies before", "dies after", "fails before", "fails after", "is refused"]
        ),
    )
    def call(self, body: str, then: str) -> None:
        """Ask once."""
        known = next(iter(self.rows.rows.values()), None)
        is_forgotten = known is None or known.created_at <= self.clock() - REMEMBERED_FOR
        if is_forgotten:
            self.answered = None
        try:
            thing, is_repeat = self.idempotency.once(ask(body), self._create(body, then), self._find)
        except Killed:
            return
        except ReusedKeyError:
            assert known is not None
            assert not is_forgotten
            return
        except BusyError:
            assert known is not None
            assert known.state is ClaimState.RUNNING
            assert self.clock() < known.lease_until
            return
        except VestibuleError:
            assert self.answered is None, "what was answered once is answered again"
            return
        # Whatever is answered was created for this key with this body, and stays the answer.
        assert thing.body == body
        assert self.answered in {None, thing}
        assert not is_forgotten or not is_repeat
        self.answered = thing

    @precondition(lambda self: len(self.things) < _IDS // 2)
    @rule(number=st.integers(0, _IDS - 1))
    def somebody_else_creates(self, number: int) -> None:
        """Let another thing have one of the few ids."""
        object_id = str(10_000_000 + number)
        claims = self.rows.rows.values()
        if not any(claim.object_id == object_id and claim.state is ClaimState.RUNNING for claim in claims):
            self.things.setdefault(object_id, Thing(object_id, "somebody else's", self.clock()))
            self.clock.advance(1)

    @rule(milliseconds=st.sampled_from([1, LEASE - 1, LEASE, DAY]))
    def time_passes(self, milliseconds: int) -> None:
        """Wait."""
        self.clock.advance(milliseconds)

    @invariant()
    def at_most_one_thing_a_claim(self) -> None:
        """No attempt has created beside another."""
        (claim,) = self.rows.rows.values() or (None,)
        if claim is None:
            return
        ours = [
            thing
            for thing in self.things.values()
            if thing.body != "somebody else's" and thing.created_at >= claim.created_at
        ]
        assert len(ours) <= 1


OneKey.TestCase.settings = hypothesis_settings(max_examples=200, stateful_step_count=30, deadline=None)
TestOneKey = pytest.mark.req("P02")(OneKey.TestCase)
