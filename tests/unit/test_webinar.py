"""A webinar, simulated: which keys its registrations and its heartbeats write, beside what DynamoDB bears.

A part of the crowd goes through the product's own code, over tables that take everything and count; the counts are
multiplied.  docs/scaling.md has the same figures, with everything that is not a table.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.support.house import SeededRandomness, item_size, open_account, plan_lecture
from tools.local.paths import ROOT
from vestibule.clock import MINUTE, SECOND
from vestibule.domain.people import Person
from vestibule.domain.registrants import NewRegistrant
from vestibule.domain.seats import INTERVAL, Seated
from vestibule.model import Entrance
from vestibule.store.directory.keys import LIST_SHARDS, LISTED
from vestibule.store.visits import PARTS, PRESENT, PRESENT_PARTS
from vestibule.wiring import House

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from tests.support.house import FakeClock, MotoAws
    from vestibule.settings import Settings

REGISTRATIONS, OF_THEM = 100_000, 2_000
PEOPLE, OF_THESE = 20_000, 100
SITTING = 10 * MINUTE

A_TABLE_WRITES, A_PARTITION_WRITES, A_PARTITION_READS = 4_000, 1_000, 3_000
"""Units a second: a new table on demand, and a partition of any."""

_INDEXES = {LISTED: ("list_key", "list_sort"), PRESENT: ("present_key", "present_sort")}
_WRITE_UNIT = 1_024
_SET = re.compile(r"#?(\w+) = (:\w+)")
_SET_FROM = re.compile(r"(\w+) = if_not_exists\((\w+), (:\w+)\)")


class Scales:
    """DynamoDB that keeps what is written and weighs it: units by table or index, and partition.

    Every condition holds: nobody of this crowd meets anybody.

    Parameters
    ----------
    behind
        Has what is not written here.
    """

    def __init__(self, behind: DynamoDBClient) -> None:
        self._behind = behind
        self._items: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.writes: Counter[tuple[str, str]] = Counter()
        self.reads: Counter[tuple[str, str]] = Counter()

    def put_item(self, *, TableName: str, Item: dict[str, Any], **_: Any) -> None:  # noqa: N803 - AWS's names
        """Weigh an item and the entries of indexes that move with it."""
        key = _key(TableName, Item)
        before = self._items.get(key, {})
        self._items[key] = Item
        self.writes[TableName, key[1]] += math.ceil(item_size(Item) / _WRITE_UNIT)
        for index, names in _INDEXES.items():
            old, new = ([item[name]["S"] for name in names if name in item] for item in (before, Item))
            for entry in (old, new):
                if entry and old != new:
                    self.writes[index, entry[0]] += 1

    def update_item(self, *, TableName: str, Key: dict[str, Any], **request: Any) -> dict[str, Any]:  # noqa: N803
        """Do what an expression of assignments says."""
        before = self._items.get(_key(TableName, Key), Key)
        values, expression = request["ExpressionAttributeValues"], request["UpdateExpression"]
        former = {name: before.get(other, values[value]) for name, other, value in _SET_FROM.findall(expression)}
        item = before | former | {name: values[value] for name, value in _SET.findall(expression)}
        self.put_item(TableName=TableName, Item=item)
        return {"Attributes": item}

    def get_item(self, *, TableName: str, Key: dict[str, Any], ConsistentRead: bool) -> dict[str, Any]:  # noqa: N803
        """Give an item."""
        key = _key(TableName, Key)
        self.reads[TableName, key[1]] += 1
        if key in self._items:
            return {"Item": self._items[key]}
        return dict(self._behind.get_item(TableName=TableName, Key=Key, ConsistentRead=ConsistentRead))


def _key(table: str, item: dict[str, Any]) -> tuple[str, str, str]:
    return table, item["pk"]["S"], item.get("sk", {"S": ""})["S"]


def of(place: str, weighed: Counter[tuple[str, str]]) -> dict[str, int]:
    """Give what was weighed in one table or index, by partition."""
    return {partition: units for (where, partition), units in weighed.items() if where == place}


@pytest.fixture
def scales(moto_aws: MotoAws) -> Scales:
    return Scales(moto_aws.dynamodb)


@pytest.fixture
def worker(scales: Scales, settings: Settings, clock: FakeClock, moto_aws: MotoAws) -> House:
    """One instance of a function, whose tables are weighed."""
    return House(
        settings,
        clock=clock,
        random=SeededRandomness(7),
        dynamodb=cast("DynamoDBClient", scales),
        secrets_manager=moto_aws.secrets_manager,
    )


@pytest.mark.req("E04")
def test_100_000_registrations_in_a_minute_are_within_every_limit(
    house: House, worker: House, scales: Scales, settings: Settings, clock: FakeClock
) -> None:
    # given
    account = open_account(house)
    session = plan_lecture(house, account)
    # when
    for number in range(OF_THEM):
        wanted = NewRegistrant(name=f"Guest {number}", email=f"guest{number}@example.org")
        worker.registrants.register(account.account_id, session.session_id, wanted)
        clock.advance(MINUTE // OF_THEM)
    # then: each is one write under a key of their own
    a_second = REGISTRATIONS / OF_THEM / (MINUTE // SECOND)
    registrants = of(settings.directory_table, scales.writes)
    assert len(registrants) == OF_THEM
    assert set(registrants.values()) == {1}
    assert sum(registrants.values()) * a_second < A_TABLE_WRITES
    assert said("directory, writes") == f"{round(sum(registrants.values()) * a_second):,}"
    # and: the list's partitions are hardly uneven
    lists = of(LISTED, scales.writes)
    assert len(lists) == LIST_SHARDS
    assert max(lists.values()) * a_second < A_PARTITION_WRITES / 2
    # and: an instance reads the session once in five seconds
    assert set(of(settings.directory_table, scales.reads).values()) == {12}
    assert {place for place, _ in scales.writes} == {settings.directory_table, LISTED}


@pytest.mark.req("E06", "E12")
def test_20_000_people_who_sit_in_one_session_are_within_every_limit(
    house: House, worker: House, scales: Scales, settings: Settings, clock: FakeClock
) -> None:
    # given
    account = open_account(house)
    session = plan_lecture(house, account)
    seats = []
    for number in range(OF_THESE):
        who = Person(name=f"Guest {number}", email=f"guest{number}@example.org")
        seats.append(worker.seats.take(account, session, who, Entrance.REGISTRANT))
    scales.writes.clear()
    scales.reads.clear()
    # when
    for _ in range(SITTING // INTERVAL):
        clock.advance(INTERVAL)
        for seated in seats:
            assert isinstance(seated, Seated)
            worker.seats.beat(account, str(seated.token))
    # then
    a_second = PEOPLE / OF_THESE / (SITTING // SECOND)
    passes, journal = of(settings.passes_table, scales.writes), of(settings.journal_table, scales.writes)
    present, looked_at = of(PRESENT, scales.writes), of(settings.passes_table, scales.reads)
    assert said("reads of passes") == f"{round(sum(looked_at.values()) * a_second):,}"
    assert said("writes of passes") == f"{round(sum(passes.values()) * a_second):,}"
    assert said("writes of the journal") == f"{round(sum(journal.values()) * a_second):,}"
    assert said("writes of the index") == f"{round(sum(present.values()) * a_second):,}"
    for table in (passes, journal, present):
        assert sum(table.values()) * a_second < A_TABLE_WRITES
    # and: a person's seat is their own page's alone, and no partition is much hotter than the others
    assert len(looked_at) == len(passes) == OF_THESE
    assert set(looked_at.values()) == {SITTING // INTERVAL}
    assert (len(journal), len(present)) == (PARTS, PRESENT_PARTS)
    assert max([*journal.values(), *present.values()]) * a_second < A_PARTITION_WRITES / 2


def said(line: str) -> str:
    """Give the first figure that docs/scaling.md has in the line of its tables that begins so."""
    (found,) = re.findall(rf"(?m)^\| {re.escape(line)}[^|]*\|\D*([\d,]+)", (ROOT / "docs" / "scaling.md").read_text())
    return str(found)
