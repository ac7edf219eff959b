"""What every refusal of the native API must look like (RFC 9457)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

MEMBERS = {"type", "title", "status", "detail", "code", "request_id"}


def assert_problem(answer: httpx.Response, status: int, code: str | None = None) -> dict[str, Any]:
    """Check that an answer is a problem document with this status, and give the document.

    Parameters
    ----------
    code
        The stable reason; any when left out.
    """
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    document: dict[str, Any] = answer.json()
    assert document.keys() - {"errors"} == MEMBERS
    assert document["status"] == status
    assert document["type"] == f"urn:vestibule:problem:{document['code']}"
    assert all(isinstance(document[name], str) and document[name] for name in MEMBERS - {"status"})
    assert code is None or document["code"] == code, document
    assert ("errors" in document) == (document["code"] == "invalid_request")
    for error in document.get("errors", ()):
        assert error.keys() == {"field", "code", "detail"}
    return document
