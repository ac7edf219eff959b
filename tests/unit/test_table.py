"""A table's writes and reads when DynamoDB is busy, torn or gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from tests.support.template import template
from vestibule.errors import UnavailableError
from vestibule.store import aws
from vestibule.store.aws import dependency
from vestibule.store.items import unpack
from vestibule.store.table import IS_NEW, ConditionFailedError, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

KEY = {"pk": {"S": "a"}}
ITEM = {**KEY, "x": {"N": "1"}}


class StubbedClient:
    """A DynamoDB client that answers what the test wrote down, and notes what it was asked."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def call(**request: Any) -> Any:
            self.asked.append((operation, request))
            answer = self._answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


class Shop:
    """A table over a stubbed client, with the pauses that it made."""

    def __init__(self, *answers: Any, draw: float = 1.0) -> None:
        self.client = StubbedClient(*answers)
        self.pauses: list[float] = []
        client: Any = self.client
        self.table = Table(client, "t", draw=lambda: draw, pause=self.pauses.append)


def error(code: str, **further: Any) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": "m"}, **further}
    return ClientError(response, "Operation")


def canceled(*reasons: str | tuple[str, dict[str, Any]]) -> ClientError:
    told = [{"Code": r} if isinstance(r, str) else {"Code": r[0], "Item": r[1]} for r in reasons]
    return error("TransactionCanceledException", CancellationReasons=told)


def two(table: Table) -> tuple[Any, Any]:
    return table.put(ITEM, IS_NEW), table.delete({"pk": {"S": "b"}})


# --- transactions ---


def test_a_transaction_carries_every_action() -> None:
    shop = Shop({})
    shop.table.write(*two(shop.table))
    ((operation, request),) = shop.client.asked
    assert operation == "transact_write_items"
    assert request["TransactItems"] == [
        {
            "Put": {
                "TableName": "t",
                "Item": ITEM,
                "ConditionExpression": IS_NEW,
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        },
        {"Delete": {"TableName": "t", "Key": {"pk": {"S": "b"}}}},
    ]
    assert shop.pauses == []


@pytest.mark.req("R01")
def test_a_transaction_that_meets_another_is_tried_again() -> None:
    shop = Shop(canceled("None", "TransactionConflict"), canceled("TransactionConflict", "None"), {})
    shop.table.write(*two(shop.table))
    assert len(shop.client.asked) == 3
    assert len({str(request) for _, request in shop.client.asked}) == 1


@pytest.mark.req("R01")
def test_a_transaction_that_meets_others_for_too_long_is_an_outage() -> None:
    shop = Shop(*[canceled("TransactionConflict", "None")] * 4)
    with pytest.raises(UnavailableError):
        shop.table.write(*two(shop.table))
    assert len(shop.client.asked) == 4
    # between attempts, not after the last
    assert len(shop.pauses) == 3


def test_pauses_double_and_are_drawn_evenly_below_that() -> None:
    most, half, none = (Shop(*[canceled("TransactionConflict")] * 4, draw=draw) for draw in (1.0, 0.5, 0.0))
    for shop in (most, half, none):
        with pytest.raises(UnavailableError):
            shop.table.write(*two(shop.table))
    first = most.pauses[0]
    assert most.pauses == [first, 2 * first, 4 * first]
    assert half.pauses == [pause / 2 for pause in most.pauses]
    assert none.pauses == [0, 0, 0]
    assert sum(most.pauses) < 1, "seconds; a function has ten for everything"


@pytest.mark.parametrize(
    ("reasons", "index", "found"),
    [
        (["ConditionalCheckFailed", "None"], 0, None),
        (["None", "ConditionalCheckFailed"], 1, None),
        (["ConditionalCheckFailed", "ConditionalCheckFailed"], 0, None),
        (["TransactionConflict", "ConditionalCheckFailed"], 1, None),
        (["None", ("ConditionalCheckFailed", ITEM)], 1, {"pk": "a", "x": 1}),
    ],
)
def test_a_failed_condition_is_told_at_once_with_its_place(
    reasons: list[Any], index: int, found: dict[str, Any] | None
) -> None:
    shop = Shop(canceled(*reasons))
    with pytest.raises(ConditionFailedError) as refused:
        shop.table.write(*two(shop.table))
    assert (refused.value.index, refused.value.found) == (index, found)
    assert shop.pauses == []


def test_a_condition_that_fails_on_the_second_attempt_counts() -> None:
    shop = Shop(canceled("TransactionConflict", "None"), canceled("None", "ConditionalCheckFailed"))
    with pytest.raises(ConditionFailedError) as refused:
        shop.table.write(*two(shop.table))
    assert refused.value.index == 1


@pytest.mark.parametrize(
    "failure",
    [
        error("ThrottlingException"),
        error("InternalServerError"),
        error("AccessDeniedException"),
        error("ResourceNotFoundException"),
        error("TransactionInProgressException"),
        ReadTimeoutError(endpoint_url="https://dynamodb"),
        EndpointConnectionError(endpoint_url="https://dynamodb"),
    ],
    ids=lambda failure: type(failure).__name__ + str(failure)[-60:-20],
)
@pytest.mark.req("R01")
def test_any_other_failure_of_a_write_is_an_outage(failure: Exception) -> None:
    writes: list[Callable[[Table], object]] = [
        lambda table: table.write(*two(table)),
        lambda table: table.write(table.put(ITEM)),
        lambda table: table.update(KEY, "SET x = :x", "attribute_exists(pk)", {":x": 1}),
    ]
    for write in writes:
        shop = Shop(failure)
        with pytest.raises(UnavailableError) as refused:
            write(shop.table)
        assert refused.value.dependency == "dynamodb"
        assert refused.value.__cause__ is failure
        assert str(failure) not in str(refused.value)


# --- single writes ---


def test_a_lone_put_is_no_transaction() -> None:
    shop = Shop({})
    shop.table.write(shop.table.put(ITEM, "version = :seen", {":seen": 3}))
    ((operation, request),) = shop.client.asked
    assert operation == "put_item"
    assert request["ExpressionAttributeValues"] == {":seen": {"N": "3"}}


@pytest.mark.req("L11", "R01")
def test_a_put_that_finds_itself_was_the_sdks_own_retry() -> None:
    shop = Shop(error("ConditionalCheckFailedException", Item=ITEM))
    shop.table.write(shop.table.put(ITEM, IS_NEW))


@pytest.mark.parametrize("found", [{**KEY, "x": {"N": "2"}}, KEY, None])
def test_a_put_that_finds_another_has_failed(found: dict[str, Any] | None) -> None:
    shop = Shop(error("ConditionalCheckFailedException", **({"Item": found} if found else {})))
    with pytest.raises(ConditionFailedError) as refused:
        shop.table.write(shop.table.put(ITEM, IS_NEW))
    assert refused.value.found == (unpack(found) if found else None)
    assert refused.value.index == 0


def test_a_put_knows_itself_by_its_values_in_whatever_order_a_set_comes_back() -> None:
    written, given_back = ({**KEY, "ids": {"SS": ids}} for ids in (["a", "b"], ["b", "a"]))
    shop = Shop(error("ConditionalCheckFailedException", Item=given_back))
    shop.table.write(shop.table.put(written, IS_NEW))


SINGLE_WRITES: list[Callable[[Table], object]] = [
    lambda table: table.write(table.put(ITEM, IS_NEW)),
    lambda table: table.update(KEY, "SET x = :x", "attribute_exists(pk)", {":x": 1}),
]


@pytest.mark.parametrize("write", SINGLE_WRITES, ids=["put", "update"])
@pytest.mark.req("R01")
def test_a_single_write_that_meets_a_transaction_is_tried_again(write: Callable[[Table], object]) -> None:
    shop = Shop(error("TransactionConflictException"), error("TransactionConflictException"), {"Attributes": ITEM})
    write(shop.table)
    assert len({str(request) for _, request in shop.client.asked}) == 1
    assert (len(shop.client.asked), len(shop.pauses)) == (3, 2)


@pytest.mark.parametrize("write", SINGLE_WRITES, ids=["put", "update"])
@pytest.mark.req("R01")
def test_a_single_write_that_meets_transactions_for_too_long_is_an_outage(write: Callable[[Table], object]) -> None:
    shop = Shop(*[error("TransactionConflictException")] * 4)
    with pytest.raises(UnavailableError):
        write(shop.table)
    assert (len(shop.client.asked), len(shop.pauses)) == (4, 3)


@pytest.mark.parametrize("write", SINGLE_WRITES, ids=["put", "update"])
def test_a_single_write_whose_condition_fails_after_a_transaction_has_failed(write: Callable[[Table], object]) -> None:
    shop = Shop(error("TransactionConflictException"), error("ConditionalCheckFailedException"))
    with pytest.raises(ConditionFailedError):
        write(shop.table)


def test_an_update_gives_the_new_values_or_what_stood_there() -> None:
    shop = Shop({"Attributes": ITEM}, error("ConditionalCheckFailedException", Item=ITEM))
    assert shop.table.update(KEY, "SET x = :x", "attribute_exists(pk)", {":x": 1}) == {"pk": "a", "x": 1}
    with pytest.raises(ConditionFailedError) as refused:
        shop.table.update(KEY, "SET x = :x", "attribute_exists(pk)", {":x": 1})
    assert refused.value.found == {"pk": "a", "x": 1}
    _, request = shop.client.asked[0]
    assert request["ReturnValues"] == "ALL_NEW"
    assert request["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"


# --- reads ---


def test_a_read_gives_plain_values_or_nothing() -> None:
    shop = Shop({"Item": ITEM}, {})
    assert shop.table.get(KEY) == {"pk": "a", "x": 1}
    assert shop.table.get(KEY, consistent=True) is None
    assert [request["ConsistentRead"] for _, request in shop.client.asked] == [False, True]


@pytest.mark.parametrize("key", [{"pk": {"S": "x" * 2_049}}, {"pk": {"S": "\u00fc" * 1_025}}, {"pk": {"S": "\ud800"}},
                                 {"pk": {"S": "a"}, "sk": {"S": "x" * 1_025}}])  # fmt: skip
@pytest.mark.req("P04")
def test_a_key_that_no_item_can_have_is_asked_of_nobody(key: dict[str, Any]) -> None:
    shop = Shop()
    assert shop.table.get(key) is None
    assert list(shop.table.read_all([key])) == []


@pytest.mark.parametrize("text", ["x" * 2_049, "\ud800"])
@pytest.mark.req("P04")
def test_a_range_that_no_item_can_lie_in_is_asked_of_nobody(text: str) -> None:
    shop = Shop()
    assert shop.table.query("pk = :a", {":a": text}) == []


def test_the_longest_keys_are_asked_for() -> None:
    shop = Shop({})
    shop.table.get({"pk": {"S": "x" * 2_048}, "sk": {"S": "y" * 1_024}})
    assert len(shop.client.asked) == 1


def batch(*items: dict[str, Any], left: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"Responses": {"t": list(items)}, "UnprocessedKeys": left or {}}


@pytest.mark.req("R01")
def test_what_a_batch_leaves_over_is_asked_for_again() -> None:
    # given
    other = {"pk": {"S": "b"}}
    left = {"t": {"Keys": [other], "ConsistentRead": True}}
    shop = Shop(batch(ITEM, left=left), batch(left=left), batch(other))
    # when
    found = list(shop.table.read_together([(shop.table, KEY, True), (shop.table, other, True)]))
    # then
    assert found == [{"pk": "a", "x": 1}, {"pk": "b"}]
    requests = [request["RequestItems"] for _, request in shop.client.asked]
    assert requests == [{"t": {"Keys": [KEY, other], "ConsistentRead": True}}, left, left]
    assert len(shop.pauses) == 2


@pytest.mark.req("R01")
def test_a_batch_that_keeps_leaving_things_over_is_an_outage() -> None:
    left = {"t": {"Keys": [KEY], "ConsistentRead": True}}
    shop = Shop(*[batch(left=left)] * 4)
    with pytest.raises(UnavailableError):
        list(shop.table.read_together([(shop.table, KEY, True)]))
    assert len(shop.client.asked) == 4


def test_two_tables_are_read_in_one_call() -> None:
    # given
    client: Any = StubbedClient({"Responses": {"one": [KEY], "two": [KEY]}})
    one, two_ = (Table(client, name, draw=lambda: 0, pause=lambda _: None) for name in ("one", "two"))
    # when
    assert len(list(one.read_together([(one, KEY, True), (two_, KEY, False)]))) == 2
    # then
    ((_, request),) = client.asked
    assert {name: part["ConsistentRead"] for name, part in request["RequestItems"].items()} == {
        "one": True,
        "two": False,
    }


def test_a_key_that_comes_twice_is_asked_for_once() -> None:
    # DynamoDB refuses a batch with the same key in it twice, and an index may show one item in two places.
    shop = Shop(batch(ITEM))
    assert list(shop.table.read_all([KEY, {"pk": {"S": "b"}}, dict(KEY)])) == [{"pk": "a", "x": 1}]
    ((_, request),) = shop.client.asked
    assert request["RequestItems"]["t"]["Keys"] == [KEY, {"pk": {"S": "b"}}]


def test_nothing_wanted_is_nothing_asked() -> None:
    shop = Shop()
    assert list(shop.table.read_all([])) == []
    assert shop.client.asked == []


def pages(*answers: Iterable[str], last: bool = True) -> list[dict[str, Any]]:
    made = [{"Items": [{"pk": {"S": text}} for text in page], "LastEvaluatedKey": KEY} for page in answers]
    if last:
        del made[-1]["LastEvaluatedKey"]
    return made


def test_a_query_reads_all_of_a_range_strongly() -> None:
    shop = Shop(*pages("ab", "", "c"))
    assert [values["pk"] for values in shop.table.query("pk = :a", {":a": "x"})] == ["a", "b", "c"]
    assert all(request["ConsistentRead"] for _, request in shop.client.asked)
    assert all("Limit" not in request for _, request in shop.client.asked)
    assert [request.get("ExclusiveStartKey") for _, request in shop.client.asked] == [None, KEY, KEY]


def test_a_limited_query_stops_at_its_limit() -> None:
    shop = Shop(*pages("ab", "c", last=False))
    assert len(shop.table.query("pk = :a", {":a": "x"}, index="listed", limit=3)) == 3
    assert [request["Limit"] for _, request in shop.client.asked] == [3, 1]
    assert all(request["IndexName"] == "listed" and "ConsistentRead" not in request for _, request in shop.client.asked)


# --- clients of AWS ---


@pytest.mark.parametrize(
    "failure",
    [
        error("ProvisionedThroughputExceededException"),
        error("Whatever"),
        ConnectTimeoutError(endpoint_url="x"),
        ConnectionClosedError(endpoint_url="x"),
        NoCredentialsError(),
    ],
)
@pytest.mark.req("R01")
def test_whatever_a_dependency_raises_is_an_outage_with_its_name(failure: Exception) -> None:
    with pytest.raises(UnavailableError) as refused, dependency("secretsmanager", "Expected"):
        raise failure
    assert refused.value.dependency == "secretsmanager"
    assert refused.value.detail == "The service is briefly unavailable; please try again."


def test_what_the_caller_decides_about_passes_unchanged() -> None:
    expected = error("Expected")
    with pytest.raises(ClientError) as passed, dependency("dynamodb", "Expected"):
        raise expected
    assert passed.value is expected


def test_a_defect_is_no_outage() -> None:
    with pytest.raises(KeyError), dependency("dynamodb"):
        raise KeyError("x")


@pytest.mark.parametrize(
    ("make", "read_timeout", "attempts"),
    [
        (aws.dynamodb_client, 2, 3),
        (aws.secrets_manager_client, 2, 3),
        (aws.sqs_client, 2, 3),
        # A letter whose answer was lost has perhaps been sent: the SDK must not send it again.
        (aws.ses_client, 5, 1),
        (aws.sns_client, 5, 1),
    ],
)
@pytest.mark.req("R01", "S06")
def test_every_client_gives_up_before_the_function_does(
    make: Callable[..., Any], read_timeout: int, attempts: int
) -> None:
    config = make(region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b").meta.config
    assert (config.connect_timeout, config.read_timeout) == (1, read_timeout)
    assert config.retries["mode"] == "standard"
    assert config.retries["total_max_attempts"] == attempts
    assert config.tcp_keepalive
    function_timeout = template()["Globals"]["Function"]["Timeout"]
    assert function_timeout == 10
    assert function_timeout > (config.connect_timeout + config.read_timeout) * attempts
