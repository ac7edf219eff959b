"""The rotation of a secret on the wire."""

from vestibule.clock import MINUTE
from vestibule.domain.rotation import OVERLAP
from vestibule.http.api import Body, Request


class Rotate(Body):
    """Body of ``POST /v1/account/clients/{id}/rotate`` and ``POST /v1/account/app-secrets/{id}/rotate``.

    Attributes
    ----------
    overlap_minutes
        How long the former secret, and what was made with it, still counts; 0 ends it at once.
    """

    overlap_minutes: int | None = None


def overlap_of(request: Request) -> int:
    """Return how long (milliseconds) the former secret still counts; the whole body may be left out."""
    minutes = request.read(Rotate).overlap_minutes if request.event.body else None
    return OVERLAP if minutes is None else minutes * MINUTE
