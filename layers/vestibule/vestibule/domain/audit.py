"""The audit trail: what somebody may have to answer for, written once and never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vestibule.model import AuditEvent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vestibule.clock import Clock
    from vestibule.ids import Randomness
    from vestibule.store.journal import AuditStore
    from vestibule.store.table import Action

_EVENT_ID_BYTES = 8


class AuditTrail:
    """Records events with their moment and an id of their own."""

    def __init__(self, store: AuditStore, clock: Clock, random: Randomness) -> None:
        self._store = store
        self._clock = clock
        self._random = random

    def record(self, account_id: str, subject: str, kind: str, **facts: str) -> None:
        """Write one event.

        Parameters
        ----------
        subject
            What it happened to, such as ``login#<key>``.
        kind
            Dotted name, such as ``login_uri.reused``.
        facts
            Ids and addresses; never a secret, a name or an e-mail address.
        """
        self._store.append(self._event(account_id, subject, kind, facts))

    def recording(self, account_id: str, subject: str, kind: str, **facts: str) -> Action:
        """Return `record` as an action: the event is written if what it tells of is, and only then."""
        return self._store.appending(self._event(account_id, subject, kind, facts))

    def _event(self, account_id: str, subject: str, kind: str, facts: Mapping[str, str]) -> AuditEvent:
        return AuditEvent(
            event_id=self._random.token_hex(_EVENT_ID_BYTES),
            account_id=account_id,
            subject=subject,
            kind=kind,
            at=self._clock(),
            facts=facts,
        )
