"""Application secrets: what a portal signs embed tokens with by itself (HS256).

A secret is derived from the master key, its own id and the number of its rotations,
so it can be computed again and is stored nowhere; taking a number out of the record,
or the record out of the table, is what makes it worthless.  A ``kid`` names exactly
one secret of exactly one account.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vestibule import ids
from vestibule.clock import MINUTE
from vestibule.domain import rules
from vestibule.domain.rotation import OVERLAP, check_overlap
from vestibule.domain.rules import Checks
from vestibule.errors import ConflictError, NotFoundError
from vestibule.memory import Memory
from vestibule.model import AppKey, AppSecret
from vestibule.store.table import ConditionFailedError

if TYPE_CHECKING:
    from vestibule.clock import Clock
    from vestibule.ids import Randomness
    from vestibule.sealing import Sealing
    from vestibule.store.directory.app_secrets import AppSecretStore

SECRETS_AT_MOST = 5
"""Application secrets of one account."""
REMEMBERED_FOR = MINUTE
"""How old the record may be that a verifier uses: the stated delay of a deletion.  A rotation has none."""

_KIND = "application secret"
_LABEL_LENGTH = 10
_KID = re.compile(rf"(([0-9]{{8,10}})-[a-z0-9]{{{_LABEL_LENGTH}}})\.([1-9][0-9]{{0,8}})")


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A secret with its newest key in clear, for this once."""

    record: AppSecret
    kid: str
    secret: str


class AppSecrets:
    """The application secrets of all accounts."""

    def __init__(self, store: AppSecretStore, sealing: Sealing, clock: Clock, random: Randomness) -> None:
        self._store = store
        self._sealing = sealing
        self._clock = clock
        self._random = random
        self._known: Memory[tuple[str, str], AppSecret | None] = Memory(clock, keep=REMEMBERED_FOR)

    def create(self, account_id: str, name: str) -> NewSecret:
        """Create a secret.

        Raises
        ------
        InvalidError
            The name is not usable.
        ConflictError
            The account has as many secrets as it may have.
        """
        checks = Checks()
        name = checks.apply("name", rules.name, name)
        checks.finish()
        if len(self._store.list_of(account_id)) >= SECRETS_AT_MOST:
            raise ConflictError(
                "too_many_app_secrets", f"An account has at most {SECRETS_AT_MOST} application secrets."
            )
        now = self._clock()
        record = AppSecret(
            secret_id=f"{account_id}-{ids.new_label(self._random, _LABEL_LENGTH)}",
            account_id=account_id,
            name=name,
            keys=(AppKey(number=1, created_at=now),),
            created_at=now,
        )
        self._store.create(record)
        return self._shown(record)

    def list_of(self, account_id: str) -> list[AppSecret]:
        """Return the records of an account's secrets, oldest first."""
        return self._store.list_of(account_id)

    def rotate(self, account_id: str, secret_id: str, *, overlap: int = OVERLAP) -> NewSecret:
        """Give a secret a new key beside the newest it has; older ones end now.

        Parameters
        ----------
        overlap
            Milliseconds for which tokens of the former key still count; 0 ends it at once.

        Raises
        ------
        InvalidError
            The overlap is negative or longer than 30 days.
        NotFoundError
            The account has no such secret.
        ConflictError
            Somebody else changed the secret at the same moment.
        """
        check_overlap(overlap)
        before = self._get(account_id, secret_id)
        now = self._clock()
        former = before.keys[-1]
        kept = (replace(former, expires_at=now + overlap),) if overlap else ()
        record = replace(
            before,
            keys=(*kept, AppKey(number=former.number + 1, created_at=now)),
            version=before.version + 1,
        )
        try:
            self._store.replace(record, before=before)
        except ConditionFailedError as refused:
            raise ConflictError(
                "app_secret_changed", "The application secret was changed at the same moment; look at it again."
            ) from refused
        self._known.forget((account_id, secret_id))
        return self._shown(record)

    def delete(self, account_id: str, secret_id: str) -> None:
        """Remove a secret; its tokens are refused within 60 s.

        Raises
        ------
        NotFoundError
            The account has no such secret.
        """
        self._store.delete(self._get(account_id, secret_id))
        self._known.forget((account_id, secret_id))

    def find(self, account_id: str, kid: str) -> str | None:
        """Return the live secret that a ``kid`` names, None when the account has none of that name.

        Raises
        ------
        UnavailableError
            The record or the master key could not be read.
        """
        named = _KID.fullmatch(kid)
        if named is None or named[2] != account_id:
            return None
        secret_id, number = named[1], int(named[3])
        record = self._record_with(account_id, secret_id, number)
        for key in record.keys if record else ():
            if key.number == number and (key.expires_at is None or self._clock() < key.expires_at):
                return self._derived(account_id, secret_id, number)
        return None

    def _record_with(self, account_id: str, secret_id: str, number: int) -> AppSecret | None:
        """Return a secret's record; one that does not know a key yet is read anew, strongly consistently.

        A portal signs with a new key the moment it has it.  A made-up number costs that one read.
        """
        name = (account_id, secret_id)
        record = self._known.get(name, lambda: self._store.get(account_id, secret_id))
        if record is not None and number <= record.keys[-1].number:
            return record
        self._known.forget(name)
        return self._known.get(name, lambda: self._store.get(account_id, secret_id, consistent=True))

    def _get(self, account_id: str, secret_id: str) -> AppSecret:
        record = self._store.get(account_id, secret_id, consistent=True)
        if record is None:
            raise NotFoundError("app_secret_not_found", "The account has no such application secret.")
        return record

    def _shown(self, record: AppSecret) -> NewSecret:
        newest = record.keys[-1]
        return NewSecret(record, record.kid(newest), self._derived(record.account_id, record.secret_id, newest.number))

    def _derived(self, account_id: str, secret_id: str, number: int) -> str:
        return self._sealing.secret(_KIND, account_id, secret_id, number)


def is_app_kid(kid: str) -> bool:
    """Tell whether a ``kid`` names an application secret; no key of the house's own has that form."""
    return _KID.fullmatch(kid) is not None
