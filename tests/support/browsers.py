"""What a hub page says apart from the link that led to it: for comparing the answers to different links."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vestibule import ids

if TYPE_CHECKING:
    import httpx

PER_ANSWER = frozenset({"x-amzn-requestid", "x-amz-request-id", "date"})
"""Headers that differ from one answer to the next."""


def comparable(answer: httpx.Response, link: str) -> tuple[int, str, tuple[tuple[str, str], ...]]:
    """Give an answer's status, page and headers, without what is the link's own.

    That is its GUID in the address to look once more, and the GUID's digest, which the page's script asks with.
    """
    guid = link.rpartition("/")[2]
    page = answer.text.replace(guid, "GUID").replace(ids.digest(guid), "DIGEST")
    headers = tuple((name, value) for name, value in answer.headers.items() if name not in PER_ANSWER)
    return answer.status_code, page, headers
