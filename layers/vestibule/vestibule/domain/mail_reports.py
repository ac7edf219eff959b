"""What the carrier reports about mails later: arrived, bounced, or called spam."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vestibule.model import DeliveryState

if TYPE_CHECKING:
    from vestibule.clock import Clock
    from vestibule.store.directory.deliveries import DeliveryStore

_FINAL = frozenset({DeliveryState.BOUNCED, DeliveryState.COMPLAINED, DeliveryState.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class MailReport:
    """One report about one mail.

    Attributes
    ----------
    message_id
        The carrier's id of the mail.
    """

    account_id: str
    session_id: str
    participant_id: str
    message_id: str
    state: DeliveryState
    reason: str | None = None


class MailReports:
    """Takes reports in."""

    def __init__(self, store: DeliveryStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def take(self, report: MailReport) -> bool:
        """Write down what a report says of the last mail to a participant.

        Reports come more than once and in any order: an arrival takes back no
        complaint, and a report about an earlier mail says nothing of the last.

        Returns
        -------
        bool
            Whether anything was written.
        """
        found = self._store.get(report.account_id, report.session_id, report.participant_id)
        if found is None or found.message_id != report.message_id or found.state == report.state:
            return False
        if found.state in _FINAL and report.state is DeliveryState.DELIVERED:
            return False
        return self._store.progress(found, report.state, report.reason, now=self._clock())
