"""A DynamoDB table as the stores use it: conditional writes that survive retries.

A write whose answer is lost is sent again by the SDK and then meets its own
result.  A single put recognises that by comparing what it finds with what it
wrote; a transaction carries a request token that botocore repeats.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from vestibule.errors import UnavailableError
from vestibule.store.aws import dependency
from vestibule.store.items import pack, unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

    from vestibule.store.items import Item

    type Action = dict[str, dict[str, Any]]
    """One member of ``TransactItems``."""

IS_NEW = "attribute_not_exists(pk)"
"""True when no item has this key."""
UNCHANGED = "version = :seen"
"""True when nobody changed the record since version ``:seen`` was read."""

CONDITION_FAILED = "ConditionalCheckFailedException"
TRANSACTION_CANCELED = "TransactionCanceledException"
TRANSACTION_CONFLICT = "TransactionConflictException"
"""What a single write meets while a transaction has its item; the SDK does not try again by itself."""

_DEPENDENCY = "dynamodb"
_KEY_BYTES = {"pk": 2_048, "sk": 1_024}
"""DynamoDB's limits; it refuses to look for a longer key, which is no outage."""
_ROUNDS = 4
"""Attempts at a write that meets a transaction, and at what a batch leaves over."""
_FIRST_PAUSE = 0.025
"""Seconds; doubles each round, and the pause is drawn evenly below that."""
_LAST_DOUBLING = 4


class ConditionFailedError(Exception):
    """A write's condition did not hold, and nothing was written.

    Attributes
    ----------
    found
        The values that stood there, or None when there was no item.
    index
        Position of the first refused write of a transaction, else 0.
    """

    def __init__(self, found: Mapping[str, Any] | None, index: int = 0) -> None:
        super().__init__("the condition of a write did not hold")
        self.found = found
        self.index = index


class Table:
    """One table.

    Parameters
    ----------
    client
        DynamoDB client.
    name
        The table's name.
    draw
        Returns a number in [0, 1), such as `random.random`.
    pause
        Waits that many seconds, such as `time.sleep`.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        name: str,
        *,
        draw: Callable[[], float],
        pause: Callable[[float], None],
    ) -> None:
        self.client = client
        self.name = name
        self._draw = draw
        self._pause = pause

    def get(self, key: Item, *, consistent: bool = False) -> dict[str, Any] | None:
        """Read one item's values; a key that no item can have is asked of nobody."""
        if not _can_be_stored(key):
            return None
        with dependency(_DEPENDENCY):
            answer = self.client.get_item(TableName=self.name, Key=key, ConsistentRead=consistent)
        return unpack(answer["Item"]) if "Item" in answer else None

    def query(
        self,
        condition: str,
        values: Mapping[str, Any],
        *,
        index: str | None = None,
        limit: int | None = None,
        only: Sequence[str] = (),
    ) -> list[dict[str, Any]]:
        """Read the values of one key range, all of it unless limited; a key that no item can have is asked of nobody.

        Parameters
        ----------
        only
            The attributes that are wanted, all when left out: fewer cost as much to read, and less to carry.
        """
        if not all(_fits(text, _KEY_BYTES["pk"]) for text in values.values()):
            return []
        arguments: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": pack(values),
        }
        arguments |= {"IndexName": index} if index else {"ConsistentRead": True}
        if only:
            names = {f"#{name}": name for name in only}
            arguments |= {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
        found: list[dict[str, Any]] = []
        while True:
            if limit is not None:
                arguments["Limit"] = limit - len(found)
            with dependency(_DEPENDENCY):
                page = self.client.query(**arguments)
            found += [unpack(item) for item in page["Items"]]
            if "LastEvaluatedKey" not in page or len(found) == limit:
                return found
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def count(self, condition: str, values: Mapping[str, Any], *, index: str) -> int:
        """Count the entries of one key range of an index."""
        arguments: dict[str, Any] = {
            "TableName": self.name,
            "IndexName": index,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": pack(values),
            "Select": "COUNT",
        }
        total = 0
        while True:
            with dependency(_DEPENDENCY):
                page = self.client.query(**arguments)
            total += page["Count"]
            if "LastEvaluatedKey" not in page:
                return total
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def read_all(self, wanted: Sequence[Item]) -> Iterator[dict[str, Any]]:
        """Read up to 100 items in one call, in no order, without those that are gone."""
        return self.read_together([(self, key, False) for key in wanted])

    def read_together(self, wanted: Sequence[tuple[Table, Item, bool]]) -> Iterator[dict[str, Any]]:
        """Read up to 100 items of several tables in one call; a key that no item can have is asked of nobody.

        Parameters
        ----------
        wanted
            Table, key, and whether the table is read strongly consistently (one
            answer a table: the first item's counts). A key that comes twice is asked
            for once: an index may show an item where it was and where it is.

        Raises
        ------
        UnavailableError
            DynamoDB failed, or kept leaving items over.
        """
        request: dict[str, Any] = {}
        for table, key, consistent in wanted:
            if not _can_be_stored(key):
                continue
            part = request.setdefault(table.name, {"Keys": [], "ConsistentRead": consistent})
            if key not in part["Keys"]:
                part["Keys"].append(key)
        for attempt in range(_ROUNDS):
            if not request:
                return
            if attempt:
                self._back_off(attempt)
            with dependency(_DEPENDENCY):
                answer = self.client.batch_get_item(RequestItems=request)
            for items in answer["Responses"].values():
                yield from map(unpack, items)
            request = dict(answer.get("UnprocessedKeys") or {})
        if request:
            raise UnavailableError(_DEPENDENCY)

    def put(self, item: Item, condition: str | None = None, values: Mapping[str, Any] | None = None) -> Action:
        """Return the action that writes a whole item, on a condition if there is one."""
        return {"Put": self._on({"Item": item}, condition, values)}

    def delete(self, key: Item, condition: str | None = None, values: Mapping[str, Any] | None = None) -> Action:
        """Return the action that removes an item, on a condition if there is one."""
        return {"Delete": self._on({"Key": key}, condition, values)}

    def change(self, key: Item, change: str, condition: str | None, values: Mapping[str, Any]) -> Action:
        """Return `update` as an action, for a transaction with others."""
        return {"Update": {**self._on({"Key": key}, condition, values), "UpdateExpression": change}}

    def check(self, key: Item, condition: str, values: Mapping[str, Any] | None = None) -> Action:
        """Return the action that writes nothing and lets the others through on a condition."""
        return {"ConditionCheck": self._on({"Key": key}, condition, values)}

    def write(self, *actions: Action, rounds: int = _ROUNDS) -> None:
        """Carry out actions together or not at all; a lone put needs no transaction.

        A transaction that meets another one on the same item is tried again
        after a short random pause; DynamoDB leaves that to its callers.

        Parameters
        ----------
        actions
            100 at most, of any table of this account.
        rounds
            Attempts, where transactions stand in the way.

        Raises
        ------
        ConditionFailedError
            A condition did not hold.
        UnavailableError
            DynamoDB failed, or another transaction stood in the way for too long.
        """
        if len(actions) == 1 and "Put" in actions[0]:
            self._put_alone(actions[0]["Put"], rounds)
            return
        for attempt in range(rounds):
            if attempt:
                self._back_off(attempt)
            try:
                with dependency(_DEPENDENCY, TRANSACTION_CANCELED):
                    self.client.transact_write_items(TransactItems=list(actions))  # type: ignore[arg-type]
            except ClientError as error:
                _raise_failed_condition(error)
            else:
                return
        raise UnavailableError(_DEPENDENCY)

    def update(
        self,
        key: Item,
        change: str,
        condition: str,
        values: Mapping[str, Any],
        *,
        names: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Change one item on a condition and return all its new values.

        Parameters
        ----------
        names
            Attributes whose own names DynamoDB has reserved, by their stand-ins.

        Raises
        ------
        ConditionFailedError
            The condition did not hold.  After a lost answer this may be the
            write's own doing: callers that care store the attempt's id.
        """
        arguments = self._on({"Key": key}, condition, values)
        if names:
            arguments["ExpressionAttributeNames"] = dict(names)
        asked = partial(self.client.update_item, UpdateExpression=change, ReturnValues="ALL_NEW", **arguments)
        try:
            answer = self._alone(asked, _ROUNDS)
        except ClientError as error:
            raise ConditionFailedError(_found(error.response)) from error
        return unpack(answer["Attributes"])

    def _put_alone(self, action: dict[str, Any], rounds: int) -> None:
        try:
            self._alone(partial(self.client.put_item, **action), rounds)
        except ClientError as error:
            found = _found(error.response)
            if found != unpack(action["Item"]):  # as values: DynamoDB gives a set back in any order
                raise ConditionFailedError(found) from error

    def _alone(self, ask: Callable[[], Any], rounds: int) -> Any:
        """Make a single write, again while a transaction has its item; a failed condition passes unchanged."""
        for attempt in range(rounds):
            if attempt:
                self._back_off(attempt)
            try:
                with dependency(_DEPENDENCY, CONDITION_FAILED, TRANSACTION_CONFLICT):
                    return ask()
            except ClientError as error:
                if error.response["Error"]["Code"] != TRANSACTION_CONFLICT:
                    raise
        raise UnavailableError(_DEPENDENCY)

    def _on(self, target: dict[str, Any], condition: str | None, values: Mapping[str, Any] | None) -> dict[str, Any]:
        arguments = {"TableName": self.name, **target}
        if condition is not None:
            arguments["ConditionExpression"] = condition
            arguments["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        if values:
            arguments["ExpressionAttributeValues"] = pack(values)
        return arguments

    def _back_off(self, attempt: int) -> None:
        self._pause(self._draw() * _FIRST_PAUSE * 2 ** min(attempt, _LAST_DOUBLING))


def _can_be_stored(key: Item) -> bool:
    return all(_fits(value["S"], _KEY_BYTES[name]) for name, value in key.items())


def _fits(text: str, most: int) -> bool:
    try:
        return len(text.encode()) <= most
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can spell
        return False


def _raise_failed_condition(error: ClientError) -> None:
    """Raise for the first failed condition; return when only conflicts canceled it."""
    reasons: Any = error.response.get("CancellationReasons", [])
    for index, reason in enumerate(reasons):
        if reason.get("Code") == "ConditionalCheckFailed":
            raise ConditionFailedError(_found(reason), index) from error


def _found(answer: Mapping[str, Any]) -> dict[str, Any] | None:
    item = answer.get("Item")
    return unpack(item) if item else None
