"""API clients: created with a secret that is shown once, rotated with an overlap.

A client_id begins with its account's id, so that one read finds it.  At most two
secrets are live, and only their digests exist here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vestibule import ids
from vestibule.domain import rules, scopes
from vestibule.domain.rotation import OVERLAP, check_overlap
from vestibule.domain.rules import Checks
from vestibule.domain.standing import require_active_account
from vestibule.errors import ConflictError, NotFoundError, UnauthenticatedError
from vestibule.model import Client, ClientSecret, Status
from vestibule.store.table import ConditionFailedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vestibule.clock import Clock
    from vestibule.ids import Randomness
    from vestibule.store.directory.clients import ClientStore

CLIENTS_AT_MOST = 20
"""API clients of one account."""

_LABEL_LENGTH = 10


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls the API, as far as the credentials prove it.

    Attributes
    ----------
    expires_at
        First moment at which these credentials no longer count, None when they
        have no end of their own.
    """

    account_id: str
    client_id: str
    scopes: tuple[str, ...]
    expires_at: int | None = None


class Clients:
    """The API clients of all accounts."""

    def __init__(self, store: ClientStore, clock: Clock, random: Randomness) -> None:
        self._store = store
        self._clock = clock
        self._random = random

    def draft(self, account_id: str, name: str, granted: Sequence[str]) -> tuple[Client, str]:
        """Make up a client with its first secret, not stored yet.

        Raises
        ------
        InvalidError
            The name or a scope is not usable.
        """
        checks = Checks()
        name = checks.apply("name", rules.name, name)
        for unknown in sorted(set(granted) - set(scopes.ALL)):
            checks.refuse("scopes", "unknown_scope", f"there is no scope {unknown!r}.")
        if not granted:
            checks.refuse("scopes", "required", "must name at least one scope.")
        checks.finish()
        secret, now = ids.new_secret(self._random), self._clock()
        client = Client(
            client_id=f"{account_id}-{ids.new_label(self._random, _LABEL_LENGTH)}",
            account_id=account_id,
            name=name,
            scopes=tuple(scope for scope in scopes.ALL if scope in granted),
            secrets=(ClientSecret(digest=ids.digest(secret), created_at=now),),
            created_at=now,
        )
        return client, secret

    def create(self, account_id: str, name: str, granted: Sequence[str]) -> tuple[Client, str]:
        """Create a client.

        Returns
        -------
        tuple
            The client, and its secret in clear, for this once.

        Raises
        ------
        InvalidError
            The name or a scope is not usable.
        ForbiddenError
            The account is disabled: an access token that still counts makes no new way in.
        ConflictError
            The account has as many clients as it may have.
        """
        client, secret = self.draft(account_id, name, granted)
        require_active_account(self._store.account_status(account_id))
        if len(self._store.list_of(account_id)) >= CLIENTS_AT_MOST:
            raise ConflictError("too_many_clients", f"An account has at most {CLIENTS_AT_MOST} API clients.")
        self._store.create(client)
        return client, secret

    def list_of(self, account_id: str) -> list[Client]:
        """Return an account's clients, oldest first."""
        return self._store.list_of(account_id)

    def rotate(self, account_id: str, client_id: str, *, overlap: int = OVERLAP) -> tuple[Client, str]:
        """Give a client a new secret beside the newest it has; older ones end now.

        Parameters
        ----------
        overlap
            Milliseconds for which the former secret still works; 0 ends it at once.

        Returns
        -------
        tuple
            The client, and the new secret in clear, for this once.

        Raises
        ------
        InvalidError
            The overlap is negative or longer than 30 days.
        NotFoundError
            The account has no such client.
        ConflictError
            Somebody else changed the client at the same moment.
        """
        check_overlap(overlap)
        before = self._get(account_id, client_id)
        secret, now = ids.new_secret(self._random), self._clock()
        former = max(before.secrets, key=lambda known: known.created_at)
        kept = (replace(former, expires_at=now + overlap),) if overlap else ()
        client = replace(
            before,
            secrets=(*kept, ClientSecret(digest=ids.digest(secret), created_at=now)),
            version=before.version + 1,
        )
        try:
            self._store.replace(client, before=before)
        except ConditionFailedError as refused:
            raise ConflictError(
                "client_changed", "The client was changed at the same moment; look at it again."
            ) from refused
        return client, secret

    def delete(self, account_id: str, client_id: str) -> None:
        """Remove a client; its credentials are refused within the authorizer's 60 s.

        Raises
        ------
        NotFoundError
            The account has no such client.
        """
        self._store.delete(self._get(account_id, client_id))

    def authenticate(self, client_id: str, secret: str) -> Caller:
        """Prove a client by its secret: one read.

        Raises
        ------
        UnauthenticatedError
            Unknown client, wrong or expired secret, disabled account: one answer.
        UnavailableError
            DynamoDB failed; nothing is known about the credentials.
        """
        account_id = ids.account_id_in(client_id)
        client = self._store.get(account_id, client_id) if account_id else None
        if client is None or client.account_status is not Status.ACTIVE:
            raise UnauthenticatedError
        now = self._clock()
        for known in client.secrets:
            is_live = known.expires_at is None or now < known.expires_at
            if ids.matches(secret, known.digest) and is_live:
                return Caller(client.account_id, client_id, client.scopes, known.expires_at)
        raise UnauthenticatedError

    def _get(self, account_id: str, client_id: str) -> Client:
        client = self._store.get(account_id, client_id, consistent=True)
        if client is None:
            raise NotFoundError("client_not_found", "The account has no such API client.")
        return client
