"""Tests marked `last` run after all others: they look at what the whole session has left behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "last: runs after every other test, and looks at what they left behind")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move the marked tests to the end; the others, and the marked ones among themselves, keep their order."""
    items.sort(key=_is_last)


def _is_last(item: pytest.Item) -> bool:
    markers: Sequence[pytest.Mark] = list(item.iter_markers("last"))
    return bool(markers)
