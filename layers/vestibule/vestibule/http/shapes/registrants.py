"""Registrants on the wire."""

import json
from http import HTTPStatus
from typing import Any, Literal

from pydantic import Field

from vestibule.clock import to_rfc3339
from vestibule.domain.links import Links
from vestibule.domain.registrants import AT_ONCE, NewRegistrant
from vestibule.errors import VestibuleError
from vestibule.http.api import Body
from vestibule.http.problems import further_members, status_of
from vestibule.model import Account, Registrant


class RegistrantCreate(Body):
    """Body of ``POST /v1/sessions/{id}/registrants``.

    Attributes
    ----------
    notify
        Whether the link is mailed to the address.
    """

    name: str
    email: str
    metadata: dict[str, Any] = Field(default_factory=dict)
    notify: Literal["email", "none"] = "none"

    def wanted(self) -> NewRegistrant:
        """Return the person as the domain takes them."""
        return NewRegistrant(name=self.name, email=self.email, metadata=self.metadata, confirm=self.notify == "email")


class RegistrantBatch(Body):
    """Body of ``POST /v1/sessions/{id}/registrants/batch``."""

    registrants: list[RegistrantCreate] = Field(min_length=1, max_length=AT_ONCE)


class RegistrantView:
    """Shows the registrants of one account.

    Parameters
    ----------
    account
        Its slug is in the links.
    links
        Derives them.
    """

    def __init__(self, account: Account, links: Links) -> None:
        self._account = account
        self._links = links

    def one(self, registrant: Registrant) -> dict[str, Any]:
        """Return a registrant with the link that is theirs."""
        return {
            "id": registrant.registrant_id,
            "session_id": registrant.session_id,
            "name": registrant.name,
            "email": registrant.email,
            "metadata": json.loads(registrant.metadata),
            "join_url": self._links.join_url(self._account.slug, registrant),
            "created_at": to_rfc3339(registrant.created_at),
            "updated_at": to_rfc3339(registrant.updated_at),
        }

    def result(self, found: Registrant | VestibuleError) -> dict[str, Any]:
        """Return what came of one person of a batch, with the status that a call for them alone would have."""
        if isinstance(found, Registrant):
            return {"status": int(HTTPStatus.CREATED), "registrant": self.one(found)}
        return {
            "status": status_of(found),
            "code": found.code,
            "detail": found.detail,
            **further_members(found),
        }
