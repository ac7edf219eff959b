"""Bodies as vendors' clients send them: JSON, a form or a multipart form, under any Content-Type.

What a body is shows in its first character; clients label it wrongly.  Names are
kept as written, values as text or as whatever JSON holds; a name that comes
several times, or with ``[]`` behind it, is a list.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl

from vestibule.http.problems import RequestError

FIELDS_AT_MOST = 1_000
"""Of one form; no client of any vendor sends nearly as many."""

_NAME = re.compile(r';\s*name="?([^";\r\n]*)"?', re.IGNORECASE)
_FILE = re.compile(r";\s*filename", re.IGNORECASE)
_LIST_MARK = re.compile(r"\[\d*\]$")


def fields(body: bytes) -> dict[str, Any]:
    """Return a body's fields by name; an empty body has none.

    Raises
    ------
    RequestError
        It is none of the three.
    """
    body = body.strip(b" \t\r\n")
    if body.startswith(b"--"):
        return _gathered(_parts(body))
    text = _decoded(body)
    if text.startswith(("{", "[")):
        return json_object(text)
    try:
        return _gathered(parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_AT_MOST))
    except ValueError:
        raise _unreadable() from None


def json_object(text: str) -> dict[str, Any]:
    """Return a JSON object's members.

    Raises
    ------
    RequestError
        It is not JSON, not an object, or nested beyond all reason.
    """
    try:
        document = json.loads(text)
        if "\\u" in text:
            # JSON can spell half a surrogate pair, which no answer and no table could hold.
            json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise _unreadable() from None
    if not isinstance(document, dict):
        raise _unreadable()
    return document


def as_text(value: Any) -> str:
    """Return a field as trimmed text: numbers as their digits, what is not set as an empty one.

    Raises
    ------
    RequestError
        It is a list or an object.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise _unreadable()
    return str(value).strip()


def as_texts(value: Any) -> list[str]:
    """Return a field as a list of texts: a list, or one text with commas.

    Raises
    ------
    RequestError
        It, or something in it, is neither.
    """
    values = value if isinstance(value, list) else as_text(value).split(",")
    return [text for text in map(as_text, values) if text]


def _parts(body: bytes) -> list[tuple[str, str]]:
    """Return names and values of a multipart form (RFC 7578), without its files."""
    boundary, _, _ = body.partition(b"\r\n")
    parts = (b"\r\n" + body).split(b"\r\n" + boundary, FIELDS_AT_MOST + 1)[1:]
    if len(parts) > FIELDS_AT_MOST:
        raise _unreadable()
    found = []
    for part in parts:
        head, separator, content = part.partition(b"\r\n\r\n")
        heading = head.decode("utf-8", "replace")
        name = _NAME.search(heading)
        if separator and name and not _FILE.search(heading):
            found.append((name[1], _decoded(content)))
    return found


def _gathered(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for written, value in pairs:
        name = _LIST_MARK.sub("", written)
        if name != written or name in found:
            before = found.get(name, [])
            found[name] = [*(before if isinstance(before, list) else [before]), value]
        else:
            found[name] = value
    return found


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise _unreadable() from None


def _unreadable() -> RequestError:
    return RequestError(400, "malformed_body", "The body cannot be read.")
