"""What vendors' clients send, read patiently: names in any case, numbers as texts and back, "" for nothing.

Nothing here knows a vendor.  What cannot be read at all is a `RequestError`, for
each dialect to say in its own words.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from vestibule.http.problems import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_YES = frozenset({"true", "1", "yes", "on"})
_NO = frozenset({"false", "0", "no", "off"})
_DECODER = json.JSONDecoder()
_LONGEST_NUMBER = 15
"""Digits; whatever a client counts has fewer."""
_FIELDS_AT_MOST = 10_000
_BYTE_ORDER_MARK = "\ufeff"
_NAMES = re.compile(r"[^\[\]]+|(?<=\[)(?=\])")
"""The parts of ``people[0][email]``; an empty one for ``[]``."""
_DEPTH = 4
_PART_NAME = re.compile(r';\s*name="?([^";\r\n]*)"?', re.IGNORECASE)
_FILE = re.compile(r";\s*filename", re.IGNORECASE)


class Members:
    """The members of an object that a client sent, by name without regard to case."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._values = {name.lower(): value for name, value in document.items()}

    def __contains__(self, name: str) -> bool:
        """Tell whether a member was sent, be it empty."""
        return name.lower() in self._values

    def is_set(self, name: str) -> bool:
        """Tell whether a member was sent and is neither null nor an empty text; an empty list is set."""
        return self._values.get(name.lower()) not in (None, "")

    def verbatim(self, name: str) -> str | None:
        """Return a text to the letter, None when it is not set.

        Raises
        ------
        RequestError
            It is neither a text nor a whole number.
        """
        return self._written(name, "a text")

    def text(self, name: str) -> str | None:
        """Return a text without the blanks around it, None when nothing is left; see `verbatim`."""
        return (self.verbatim(name) or "").strip() or None

    def number(self, name: str) -> int | None:
        """Return a whole number, also one that was sent as a text; None when it is not set.

        Raises
        ------
        RequestError
            It is no whole number.
        """
        text = (self._written(name, "a whole number") or "").strip()
        if not text:
            return None
        digits = text.removeprefix("-").removesuffix(".0")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST_NUMBER):
            raise _unusable(name, "a whole number")
        return int(text.removesuffix(".0"))

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a truth value in any of its spellings.

        Raises
        ------
        RequestError
            It is none.
        """
        text = (self._written(name, "true or false") or str(default)).strip().lower()
        if text not in _YES | _NO:
            raise _unusable(name, "true or false")
        return text in _YES

    def objects(self, name: str) -> list[Members]:
        """Return a list of objects, also one that was sent as an object with numbers for names.

        Raises
        ------
        RequestError
            It is none.
        """
        value = self._values.get(name.lower()) or []
        entries = list(value.values()) if isinstance(value, dict) else value
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise _unusable(name, "a list of objects")
        return [Members(entry) for entry in entries]

    def texts(self, name: str) -> list[str]:
        """Return a list of texts, also one that was sent as an object or as one text with commas.

        Raises
        ------
        RequestError
            It, or something in it, is neither a text nor a whole number.
        """
        value = self._values.get(name.lower())
        if isinstance(value, list | dict):
            entries = value.values() if isinstance(value, dict) else value
            texts = [Members({name: entry}).text(name) for entry in entries]
        else:
            texts = [one.strip() for one in (self.text(name) or "").split(",")]
        return [text for text in texts if text]

    def mapping(self, name: str) -> dict[str, Any]:
        """Return an object as it was sent, an empty one when it is not set.

        Raises
        ------
        RequestError
            It is none.
        """
        value = self._values.get(name.lower()) or {}
        if not isinstance(value, dict):
            raise _unusable(name, "an object")
        return value

    def _written(self, name: str, wanted: str) -> str | None:
        """Return a text, or a number's digits; refuse what is not what was ``wanted``."""
        value = self._values.get(name.lower())
        if value is None or value == "":
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, str | int):
            raise _unusable(name, wanted)
        return str(value)


def members(body: bytes) -> Members:
    """Return what a body holds: JSON, a form or a multipart form.

    Which of them it is shows in its first character; clients label it wrongly.

    Raises
    ------
    RequestError
        It is none of the three.
    """
    body = body.strip(b" \t\r\n")
    if body.startswith(b"--"):
        return Members(_nested(_parts(body)))
    text = plain_text(body)
    return Members(json_object(text) if text.startswith(("{", "[")) else form_object(text))


def plain_text(body: bytes) -> str:
    """Return a body's text, without a byte order mark and the blanks around it.

    Raises
    ------
    RequestError
        It is no UTF-8, or XML: that is never read, so nothing in it can go off.
    """
    text = _decoded(body).removeprefix(_BYTE_ORDER_MARK).strip()
    if text.startswith("<"):
        raise malformed()
    return text


def json_object(text: str | bytes) -> dict[str, Any]:
    """Return the members of a JSON object, of an empty one when there is nothing.

    Raises
    ------
    RequestError
        It is no JSON, no object, or made to exhaust its reader.
    """
    return _object(lambda: json.loads(text)) if text.strip() else {}


def leading_json_object(text: str) -> dict[str, Any]:
    """Return the members of the JSON object that a text begins with, whatever stands behind it; see `json_object`."""
    return _object(lambda: _DECODER.raw_decode(text.lstrip())[0])


def _object(read: Callable[[], Any]) -> dict[str, Any]:
    try:
        document = read()
        # Half a character (a lone surrogate) and a number beyond all measure (NaN, 1e999) can be read,
        # but no table and no answer could hold them.
        json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        raise malformed() from None
    if not isinstance(document, dict):
        raise malformed()
    return document


def form_object(text: str) -> dict[str, Any]:
    """Return the fields of a form; ``people[0][email]`` becomes an object in an object, as PHP writes it.

    Raises
    ------
    RequestError
        There are too many fields, two of them contradict each other, or one is no UTF-8.
    """
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_FIELDS_AT_MOST)
    except ValueError:
        raise malformed() from None
    return _nested(pairs)


def _parts(body: bytes) -> Iterator[tuple[str, str]]:
    """Yield names and values of a multipart form (RFC 7578), without its files."""
    boundary, _, _ = body.partition(b"\r\n")
    parts = (b"\r\n" + body).split(b"\r\n" + boundary, _FIELDS_AT_MOST + 1)[1:]
    if len(parts) > _FIELDS_AT_MOST:
        raise malformed()
    for part in parts:
        head, separator, content = part.partition(b"\r\n\r\n")
        heading = head.decode("utf-8", "replace")
        name = _PART_NAME.search(heading)
        if separator and name and not _FILE.search(heading):
            yield name[1], _decoded(content)


def _nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return fields by name, those with brackets as objects in objects."""
    document: dict[str, Any] = {}
    for name, value in pairs:
        first, *inner = _NAMES.findall(name) or [name]
        place, last = document, first
        for deeper in inner[:_DEPTH]:
            place, last = place.setdefault(last, {}), deeper or str(len(place.get(last, ())))
            if not isinstance(place, dict):
                raise malformed()
        place[last] = value
    return document


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise malformed() from None


def malformed() -> RequestError:
    """Return the refusal of a body that cannot be read."""
    return RequestError(400, "malformed_body", "The body cannot be read.")


def _unusable(name: str, wanted: str) -> RequestError:
    return RequestError(400, "wrong_type", f"{name} must be {wanted}.")
