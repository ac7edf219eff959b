"""Pages of an account's lists: index entries first, then the objects behind them.

A list is spread over shards, so that a bulk import does not heat one partition.
The index holds keys only and lags a moment; what stands in the table counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vestibule.store.directory import keys
from vestibule.store.items import pack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from vestibule.store.table import Table

type Position = tuple[int, str]
"""Where a page of a list ended: the shard, and the sort key in it."""


def entry(list_key: str, created_at: int, object_id: str) -> dict[str, str]:
    """Return the index attributes that put an object on a list, by age."""
    return {"list_key": list_key, "list_sort": f"{created_at:015d}#{object_id}"}


def page(
    table: Table, list_key: Callable[[int], str], *, after: Position | None, limit: int
) -> tuple[list[dict[str, Any]], Position | None]:
    """Read one page of a list.

    Shards follow one another, and within a shard the oldest object comes first.

    Parameters
    ----------
    list_key
        Returns the list key of a shard.
    after
        Position of the previous page's end, None for the first.
    limit
        Objects at most, 1 to 100.

    Returns
    -------
    tuple
        The objects' values, and this page's end, None when nothing follows.
    """
    shard, sort = after or (0, keys.BEFORE_ALL)
    entries: list[dict[str, Any]] = []
    while shard < keys.LIST_SHARDS:
        entries += table.query(
            "list_key = :list AND list_sort > :sort",
            {":list": list_key(shard), ":sort": sort},
            index=keys.LISTED,
            limit=limit - len(entries),
        )
        if len(entries) == limit:
            return behind(table, entries), (shard, entries[-1]["list_sort"])
        shard, sort = shard + 1, keys.BEFORE_ALL
    return behind(table, entries), None


def behind(table: Table, entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Read the values behind index entries, in their order, without those just deleted."""
    wanted = [pack({"pk": entry["pk"], "sk": entry["sk"]}) for entry in entries]
    found = {values["pk"]: values for values in table.read_all(wanted)}
    return [found[entry["pk"]] for entry in entries if entry["pk"] in found]
