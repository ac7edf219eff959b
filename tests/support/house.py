"""The house without AWS: its rooms over moto's tables, with a clock that the test moves.

The invariant: nothing here sleeps, reads the machine's clock or draws real randomness, and the line to moto
refuses what DynamoDB would refuse and moto lets pass (`Wire`), so that a test on moto promises what AWS keeps.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import math
import random
import re
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol, cast

import pytest
from argon2 import PasswordHasher
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.session import get_session

from tests.support.outbox import DEAD_LETTERS, OUTBOX, SENDER, FakeSes, FakeSns, FakeSqs, Post
from tests.support.template import resources
from tools.local.paths import ROOT
from vestibule import wiring
from vestibule.clock import DAY
from vestibule.domain import passwords
from vestibule.domain.sessions import HostRef
from vestibule.settings import Settings
from vestibule.store.aws import dynamodb_client, secrets_manager_client
from vestibule.wiring import House

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping

    from botocore.session import Session as BotocoreSession
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

    from vestibule.model import Account, Session, User

START = 1_795_315_772_123
"""When every test begins: 2026-11-22T02:49:32.123Z."""
API_ORIGIN = "https://api.vestibule.example"
HUB_ORIGIN = "https://{slug}.hub.vestibule.example"
REGION = "eu-central-1"
SECRET = "SigningKeysSecret"
MASTER_KEY_SECRET = "master-key"
MOTOS_ACCOUNT = "123456789012"

_KEY_BYTES = {"pk": 2_048, "sk": 1_024, "list_key": 2_048, "list_sort": 1_024, "find_key": 2_048, "find_sort": 1_024}
_ITEM_BYTES = 400 * 1_024
_TOGETHER = 100
_DIGITS = 38
_EMPTY_RING = "{}"
_READ_UNIT = 4_096
_WRITE_UNIT = 1_024
_PLAIN = frozenset({"S", "N", "BOOL", "NULL"})


class FakeClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: int = START) -> None:
        self.now = now

    def __call__(self) -> int:
        """Return now, in milliseconds since the epoch."""
        return self.now

    def advance(self, milliseconds: int) -> None:
        """Let time pass."""
        assert milliseconds >= 0, "time runs forward"
        self.now += milliseconds


class SeededRandomness:
    """The same draws in every run, in the shape of the `secrets` module."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)  # noqa: S311 - made to be repeatable
        self._bytes = random.Random(seed)  # noqa: S311 - apart, so that sealing something moves no id

    def randbelow(self, exclusive_upper_bound: int, /) -> int:
        """Return an integer in [0, exclusive_upper_bound)."""
        return self._random.randrange(exclusive_upper_bound)

    def token_bytes(self, nbytes: int, /) -> bytes:
        """Return that many bytes."""
        return self._bytes.randbytes(nbytes)

    def token_hex(self, nbytes: int, /) -> str:
        """Return that many bytes as lower-case hex."""
        return self._random.randbytes(nbytes).hex()

    def token_urlsafe(self, nbytes: int, /) -> str:
        """Return as many characters as that many bytes take in URL-safe base64."""
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        return "".join(self._random.choices(alphabet, k=math.ceil(nbytes * 4 / 3)))


@dataclass(frozen=True)
class SdkCall:
    """One call that the house made of DynamoDB, whatever the SDK's own retries.

    Attributes
    ----------
    tables
        Names of the tables it touched.
    read_units, write_units
        What AWS charges for it, from the sizes of the items; indexes apart.
    """

    operation: str
    tables: frozenset[str]
    read_units: float
    write_units: int
    request: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class _Befall:
    """What happens to one call: it is ``lost``, ``failed``, ``preceded`` by something, or ``passed``."""

    kind: str
    operation: str
    detail: Any


def _nothing() -> None:
    """Do nothing."""


class Wire:
    """The line between the house and moto's tables: counted, and cut where a test says so.

    What befalls a call is set for the next calls of an operation, such as ``UpdateItem``.
    """

    def __init__(self) -> None:
        self.calls: list[SdkCall] = []
        self.attempts = 0
        self._befalls: list[_Befall] = []
        self._done: dict[str, Any] = {}

    def reset(self) -> None:
        """Forget what another test counted and set."""
        self.calls.clear()
        self.attempts = 0
        self._befalls.clear()

    def attach(self, client: DynamoDBClient) -> None:
        """Watch a client."""
        events = client.meta.events
        events.register("before-parameter-build.dynamodb", self._on_request)
        events.register("before-call.dynamodb", self._on_call)
        events.register("before-send.dynamodb", self._on_send)
        events.register("after-call.dynamodb", self._on_answer)

    @contextlib.contextmanager
    def counting(self) -> Iterator[list[SdkCall]]:
        """Give a list that holds, after the block, the calls that were made in it."""
        seen: list[SdkCall] = []
        start = len(self.calls)
        try:
            yield seen
        finally:
            seen.extend(self.calls[start:])

    def lose_answer(self, operation: str, times: int = 1, *, then: Callable[[], object] | None = None) -> None:
        """Let calls act and lose their answers: the SDK sees a time-out and asks again.

        Parameters
        ----------
        then
            What happens before it does.
        """
        self._befalls += [_Befall("lost", operation, then or _nothing) for _ in range(times)]

    def fail(self, operation: str, code: str, times: int = 1, *, skip: int = 0) -> None:
        """Answer calls with an error code, without effect, after ``skip`` calls that pass."""
        self._befalls += [_Befall("passed", operation, _nothing) for _ in range(skip)]
        self._befalls += [_Befall("failed", operation, code) for _ in range(times)]

    def before(self, operation: str, act: Callable[[], object], times: int = 1) -> None:
        """Let something happen just before a call: the other side of a race."""
        self._befalls += [_Befall("preceded", operation, act) for _ in range(times)]

    def _next(self, operation: str, *kinds: str) -> _Befall | None:
        """Take what is next for an operation, of these kinds."""
        for index, befall in enumerate(self._befalls):
            if befall.operation == operation and befall.kind in kinds:
                return self._befalls.pop(index)
        return None

    def _on_request(self, params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        _refuse_what_aws_refuses(model.name, params)
        context["vestibule"] = params

    def _on_call(self, model: Any, **_: Any) -> Any:
        preceded = self._next(model.name, "preceded")
        if preceded is not None:
            preceded.detail()
        failed = self._next(model.name, "passed", "failed")
        if failed is None or failed.kind == "passed":
            return None
        return SimpleNamespace(status_code=400), {"Error": {"Code": failed.detail, "Message": "set by the test"}}

    def _on_send(self, request: Any, event_name: str, **_: Any) -> Any:
        from moto.core.models import botocore_stubber  # noqa: PLC0415 - only tests on moto pay for it

        self.attempts += 1
        token = json.loads(request.body).get("ClientRequestToken")
        if token in self._done:
            # A transaction that succeeded succeeds again; moto does not know that.
            return self._done[token]
        lost = self._next(event_name.rpartition(".")[2], "lost")
        if lost is None:
            return None
        # This handler comes before moto's own: act for it, then break the line.
        answer = botocore_stubber(event_name, request)
        assert answer is not None
        if token is not None and answer.status_code == HTTPStatus.OK:
            self._done[token] = answer
        lost.detail()
        raise ReadTimeoutError(endpoint_url=request.url)

    def _on_answer(self, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        request = context["vestibule"]
        reads, writes = _units(model.name, request, parsed)
        self.calls.append(SdkCall(model.name, frozenset(_tables(request)), reads, writes, request))


def _tables(request: Mapping[str, Any]) -> Iterator[str]:
    if "TableName" in request:
        yield request["TableName"]
    yield from request.get("RequestItems", {})
    for action in request.get("TransactItems", ()):
        yield from (inner["TableName"] for inner in action.values())


def _refuse_what_aws_refuses(operation: str, request: Mapping[str, Any]) -> None:
    """Raise DynamoDB's ValidationException where moto is more patient than AWS."""
    keys = [request["Key"]] if "Key" in request else []
    items = [request["Item"]] if "Item" in request else []
    for part in request.get("RequestItems", {}).values():
        keys += part["Keys"]
    for action in request.get("TransactItems", ()):
        for inner in action.values():
            keys += [inner["Key"]] if "Key" in inner else []
            items += [inner["Item"]] if "Item" in inner else []
    texts = [(name, value["S"]) for one in (*keys, *items) for name, value in one.items() if name in _KEY_BYTES]
    if operation == "Query":
        texts += _key_values(request)
    wrong = [name for name, text in texts if not 1 <= len(text.encode("utf-8", "surrogatepass")) <= _KEY_BYTES[name]]
    wrong += [kind for kind, text in _scalars(request) if not _can_be_sent(kind, text)]
    names = [tuple(sorted((n, v["S"]) for n, v in key.items())) for key in keys]
    if (
        wrong
        or len(names) != len(set(names))
        or len(keys) + len(items) > _TOGETHER
        or any(item_size(item) > _ITEM_BYTES for item in items)
    ):
        raise ClientError({"Error": {"Code": "ValidationException", "Message": f"{operation}: {wrong}"}}, operation)


def _scalars(value: Any) -> Iterator[tuple[str, str]]:
    """Yield the texts and numbers of a request."""
    if isinstance(value, dict):
        for kind, inner in value.items():
            if kind in {"S", "N"} and isinstance(inner, str):
                yield kind, inner
            else:
                yield from _scalars(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _scalars(inner)


def _can_be_sent(kind: str, text: str) -> bool:
    """Tell whether a number is one of DynamoDB's, and a text is Unicode."""
    if kind == "N":
        return len(text.lstrip("-")) <= _DIGITS
    try:
        return text.encode() is not None
    except UnicodeEncodeError:
        return False


def _key_values(request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the values that a query compares keys with."""
    between = r"\1 = \2 AND \1 = \3"
    condition = re.sub(r"(\w+) BETWEEN (:\w+) AND (:\w+)", between, request["KeyConditionExpression"])
    for term in condition.replace("begins_with(", "").replace(")", "").split(" AND "):
        name, _, value = term.replace(", ", " , ").replace(",", "=").partition(" ")
        placeholder = value.split()[-1]
        if name in _KEY_BYTES:
            yield name, request["ExpressionAttributeValues"][placeholder]["S"]


def _units(operation: str, request: Mapping[str, Any], answer: Mapping[str, Any]) -> tuple[float, int]:
    """Return the read and the write units of a call."""
    reads, writes = 0.0, 0
    match operation:
        case "GetItem":
            reads = _reads([answer.get("Item", {})], strong=request.get("ConsistentRead", False))
        case "BatchGetItem":
            for table, part in request["RequestItems"].items():
                found = answer.get("Responses", {}).get(table, [])
                missing: list[dict[str, Any]] = [{}] * (len(part["Keys"]) - len(found))
                reads += _reads([*found, *missing], strong=part.get("ConsistentRead", False))
        case "Query":
            size = sum(item_size(item) for item in answer.get("Items", ()))
            reads = max(1, math.ceil(size / _READ_UNIT)) / (1 if request.get("ConsistentRead") else 2)
        case "PutItem":
            writes = _writes(request["Item"])
        case "UpdateItem":
            writes = _writes(answer.get("Attributes") or answer.get("Item") or {})
        case "DeleteItem":
            writes = 1
        case "TransactWriteItems":
            items = (inner.get("Item", {}) for action in request["TransactItems"] for inner in action.values())
            writes = 2 * sum(map(_writes, items))
        case _:
            raise AssertionError(f"the house has no business with {operation}")
    return reads, writes


def _reads(items: Iterable[Mapping[str, Any]], *, strong: bool) -> float:
    units = sum(max(1, math.ceil(item_size(item) / _READ_UNIT)) for item in items)
    return units if strong else units / 2


def _writes(item: Mapping[str, Any]) -> int:
    return max(1, math.ceil(item_size(item) / _WRITE_UNIT))


def item_size(item: Mapping[str, Any]) -> int:
    """Return an item's size in bytes as AWS counts it: names and values."""
    return sum(len(name.encode()) + _value_size(value) for name, value in item.items())


def _value_size(value: Mapping[str, Any]) -> int:
    (kind, held), *_ = value.items()
    match kind:
        case "S":
            return len(held.encode("utf-8", "surrogatepass"))
        case "N":
            return math.ceil(len(held.lstrip("-")) / 2) + 1
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_size(inner) for name, inner in held.items())
        case "L":
            return 3 + sum(1 + _value_size(inner) for inner in held)
    return 1


# --- fixtures -------------------------------------------------------------------------------------------


@cache
def _session() -> BotocoreSession:
    """Return the one session whose clients share what they read from disk."""
    return get_session()


class MotoAws:
    """AWS in this process's memory, for the tests of one module: tables as template.yaml defines them, and a secret.

    Attributes
    ----------
    dynamodb, secrets_manager
        Clients as the product makes them; every call of the former goes over the `wire`.
    sqs, ses, sns
        Stand-ins that keep what they are handed.
    """

    def __init__(self) -> None:
        self.dynamodb = dynamodb_client(_session(), region_name=REGION)
        self.secrets_manager = secrets_manager_client(_session(), region_name=REGION)
        self.wire = Wire()
        self.wire.attach(self.dynamodb)
        self._past_the_wire = dynamodb_client(_session(), region_name=REGION)
        for name, table in resources("AWS::DynamoDB::Table").items():
            given = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
            properties = {one: table["Properties"][one] for one in given if one in table["Properties"]}
            self._past_the_wire.create_table(TableName=name, **properties)
        self.sqs, self.ses, self.sns = FakeSqs(), FakeSes(), FakeSns()
        self.secrets_manager.create_secret(Name=SECRET, SecretString=_EMPTY_RING)
        self.secrets_manager.create_secret(Name=MASTER_KEY_SECRET, SecretString="k" * 64)

    def reset(self) -> None:
        """Empty the tables and the secret, and forget what was counted: each test finds a fresh deployment."""
        from moto.backends import get_backend  # noqa: PLC0415 - only tests on moto pay for it

        for table in get_backend("dynamodb")[MOTOS_ACCOUNT][REGION].tables.values():
            table.items.clear()
        self.secrets_manager.put_secret_value(SecretId=SECRET, SecretString=_EMPTY_RING)
        self.wire.reset()
        self.sqs, self.ses, self.sns = FakeSqs(), FakeSes(), FakeSns()

    def fill(self, table: str, items: Iterable[Mapping[str, Any]]) -> None:
        """Put many items into a table, past the wire and past HTTP."""
        from moto.backends import get_backend  # noqa: PLC0415 - only tests on moto pay for it

        backend = get_backend("dynamodb")[MOTOS_ACCOUNT][REGION].get_table(table)
        for item in items:
            backend.put_item(dict(item))

    def stored(self, table: str) -> list[Mapping[str, Any]]:
        """Return everything that a table holds, in DynamoDB's wire form, past the wire."""
        pages = self._past_the_wire.get_paginator("scan").paginate(TableName=table)
        return [item for page in pages for item in page["Items"]]


@pytest.fixture(scope="session")
def _quick_moto() -> Generator[None]:
    """Let moto answer a plain value of an item, such as ``{"S": "ada"}``, as it is: that is its form on the wire.

    Moto looks for each of the ten members that a value may have (`S`, `N`, `BOOL`, ...) under every spelling that an
    answer of any service could have, which took a third of the tests' time.
    """
    from moto.core.serialize import BaseJSONSerializer  # noqa: PLC0415 - only tests on moto pay for it

    serialize = BaseJSONSerializer._serialize_type_structure  # noqa: SLF001 - moto has no door for it

    def serialize_quickly(self: BaseJSONSerializer, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if shape.name == "AttributeValue" and isinstance(value, dict) and _PLAIN.issuperset(value):
            serialized[key] = value
        else:
            serialize(self, serialized, value, shape, key)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseJSONSerializer, "_serialize_type_structure", serialize_quickly)
        yield


@pytest.fixture(scope="module")
def moto_aws(_quick_moto: None) -> Generator[MotoAws]:
    """Clients as the product makes them, answered by moto."""
    from moto import mock_aws  # noqa: PLC0415 - only tests on moto pay for it

    with mock_aws():
        yield MotoAws()


@pytest.fixture
def clock() -> FakeClock:
    """The house's clock."""
    return FakeClock()


@pytest.fixture
def wire(moto_aws: MotoAws, monkeypatch: pytest.MonkeyPatch) -> Wire:
    """The line between this test's house and its empty tables."""
    # Between its own attempts the SDK would sleep.
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _seconds: None))
    moto_aws.reset()
    return moto_aws.wire


@pytest.fixture
def settings() -> Settings:
    """The deployment that the tests live in."""
    return Settings(
        api_origin=API_ORIGIN,
        hub_origin=HUB_ORIGIN,
        directory_table="DirectoryTable",
        passes_table="PassesTable",
        journal_table="JournalTable",
        signing_keys_secret=SECRET,
        master_key_secret=MASTER_KEY_SECRET,
        outbox_queue=OUTBOX,
        dead_letter_queue=DEAD_LETTERS,
        mail_sender=SENDER,
        mail_configuration_set="reports",
    )


class MakeHouse(Protocol):
    """Makes a further house over the same tables: another worker process, with a memory of its own."""

    def __call__(self, seed: int = 1) -> House:
        """Make one."""


@pytest.fixture
def make_house(settings: Settings, moto_aws: MotoAws, wire: Wire, clock: FakeClock) -> MakeHouse:
    """Make houses over this test's tables."""

    def make(seed: int = 1) -> House:
        return House(
            settings,
            clock=clock,
            random=SeededRandomness(seed),
            pause=lambda _seconds: None,
            dynamodb=moto_aws.dynamodb,
            secrets_manager=moto_aws.secrets_manager,
            sqs=cast("SQSClient", moto_aws.sqs),
            ses=cast("SESV2Client", moto_aws.ses),
            sns=cast("SNSClient", moto_aws.sns),
        )

    return make


@pytest.fixture
def house(make_house: MakeHouse) -> House:
    """The house of this test."""
    return make_house()


@pytest.fixture
def post(house: House, moto_aws: MotoAws, clock: FakeClock) -> Post:
    """The outbox of this test's house, moved by the test."""
    return Post(house, moto_aws, clock)


type Handler = Callable[[dict[str, Any], Any], Any]


class LoadFunction(Protocol):
    """Gives the handler of ``functions/<name>/app.py``, in this test's house."""

    def __call__(self, name: str) -> Handler:
        """Load one."""


@pytest.fixture
def function(house: House, monkeypatch: pytest.MonkeyPatch) -> LoadFunction:
    """Load functions, each freshly as a cold start would, in this test's house."""
    loaded: dict[str, Handler] = {}
    monkeypatch.setattr(wiring, "House", lambda: house)

    def load(name: str) -> Handler:
        if name not in loaded:
            spec = importlib.util.spec_from_file_location(f"app_of_{name}", ROOT / "functions" / name / "app.py")
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            loaded[name] = module.handler
        return loaded[name]

    return load


# --- people in it ---------------------------------------------------------------------------------------


def open_account(house: House, slug: str = "clinic", **settings: Any) -> Account:
    """Create an account, with `https://portal.example` on its list unless told otherwise."""
    return house.accounts.create("Northside Clinic", slug, {"redirect_uris": ["https://portal.example"], **settings})


def add_user(house: House, account: Account, **fields: Any) -> User:
    """Create a user."""
    return house.users.create(account.account_id, {"full_name": "Maria Lindqvist", **fields})


def plan_lecture(house: House, account: Account, **fields: Any) -> Session:
    """Plan a session of tomorrow, with a host of its own."""
    host = add_user(house, account)
    given = {"title": "Open lecture", "starts_at": START + DAY, **fields}
    return house.sessions.create(account.account_id, HostRef(user_id=host.user_id), given)[0]


@pytest.fixture
def account(house: House) -> Account:
    """An account as it comes; a module whose tests need more has its own."""
    return open_account(house)


@pytest.fixture
def light_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make hashing passwords as light as can be."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: hasher)
