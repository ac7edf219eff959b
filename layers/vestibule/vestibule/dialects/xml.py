"""Answers as XML, for vendors that speak it.  XML is only written here, never read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Any

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML 1.0 document may hold, escaped or not."""


def xml(value: Any, name: str = "xml") -> str:
    """Return a value as an element: members of an object by name, entries of a list as ``item``.

    Examples
    --------
    >>> xml({"id": 5, "tags": ["a", "b"], "none": []})
    '<xml><id>5</id><tags><item>a</item><item>b</item></tags><none/></xml>'
    """
    match value:
        case Mapping():
            inner = "".join(xml(member, key) for key, member in value.items())
        case list() | tuple():
            inner = "".join(xml(entry, "item") for entry in value)
        case None:
            inner = ""
        case bool():
            inner = str(int(value))
        case _:
            inner = escape(_NOT_XML.sub("", str(value)), quote=False)
    return f"<{name}>{inner}</{name}>" if inner else f"<{name}/>"
