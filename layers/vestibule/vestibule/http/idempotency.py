"""The Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header, 2.1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from vestibule.http.problems import RequestError

if TYPE_CHECKING:
    from vestibule.http.event import Event

REPLAYED: Final = {"Idempotent-Replayed": "true"}
"""Header of an answer whose object an earlier request had created."""

_HEADER = "idempotency-key"
_KEY = re.compile(r"[ -~]{1,255}")
_STRING = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
"""A string of RFC 9651, section 4.2.5."""


def key_of(event: Event) -> str | None:
    """Return the request's key, None when it has none.

    The draft makes the header a quoted string; the bare form that most clients
    send stands for the same key.

    Raises
    ------
    RequestError
        The header is neither.
    """
    text = event.headers.get(_HEADER)
    if text is None:
        return None
    text = text.strip()
    if text.startswith('"'):
        quoted = _STRING.fullmatch(text)
        text = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else ""
    if not _KEY.fullmatch(text):
        raise RequestError(
            400, "invalid_idempotency_key", "Idempotency-Key must have 1 to 255 printable ASCII characters."
        )
    return text


def refuse_key(event: Event) -> None:
    """Refuse the header where a repeat could not be answered like the first call.

    Raises
    ------
    RequestError
        The request has it.
    """
    if _HEADER in event.headers:
        raise RequestError(400, "idempotency_key_not_supported", "This call takes no Idempotency-Key.")
