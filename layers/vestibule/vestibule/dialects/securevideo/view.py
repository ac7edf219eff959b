"""Sessions and participants as SecureVideo shows them: the members, in the vendor's order.

[ours]: that the members which later pages of the vendor add stand last, and the
words of RSVP but ``Unknown``.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from vestibule.clock import SECOND
from vestibule.dialects import windows_zones
from vestibule.model import Channel, Rsvp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vestibule.dialects.front_door import Call
    from vestibule.model import Account, Participant, Session

CHANNELS = {"E": Channel.EMAIL, "S": Channel.SMS, "N": Channel.NONE}
"""By the letters of ShouldAutoDeliverCode."""

_LETTERS = {channel: letter for letter, channel in CHANNELS.items()}
_RSVPS = {
    Rsvp.PENDING: "Unknown",
    Rsvp.ACCEPTED: "Accepted",
    Rsvp.TENTATIVE: "Tentative",
    Rsvp.DECLINED: "Declined",
}


class View:
    """Shows sessions and participants of a call's account."""

    def __init__(self, call: Call) -> None:
        self._account: Account = call.house.accounts.get(call.caller.account_id)
        self._links = call.house.links

    def session(self, session: Session, participants: Sequence[Participant]) -> dict[str, Any]:
        """Return a session's members."""
        kept = session.extras
        return {
            "SessionId": int(session.session_id),
            "ScheduleTs": time_of(session.starts_at),
            "BillableTs": None,
            "BillableStatusCd": None,
            "UserId": int(session.host_user_id),
            "IsRecorded": False,
            "Participants": [self.participant(session, one) for one in participants],
            "DurationMinutes": session.duration_minutes,
            "WaitTime": kept.get("WaitTime"),
            "ScheduleType": kept.get("ScheduleType"),
            "ExternalSessionId": session.external_id or "",
            "Topic": session.title,
        }

    def participant(self, session: Session, participant: Participant) -> dict[str, Any]:
        """Return the members of somebody who takes part in a session."""
        kept = participant.extras
        zone = kept.get("ParticipantTimeZoneWindowsId") or windows_zones.name_of(session.time_zone)
        return {
            "ParticipationId": int(participant.participant_id),
            "ParticipantFullName": participant.full_name,
            "SecureVideoUserId": int(participant.user_id) if participant.user_id else None,
            "ParticipantEmailAddress": participant.email or "",
            "ParticipantSmsNumber": participant.phone or "",
            "ParticipantDefaultResolution": kept.get("ParticipantDefaultResolution", "high"),
            "ParticipantTimeZoneWindowsId": zone,
            "ConnectCode": int(self._links.connect_code(participant)),
            "ShouldAutoDeliverCode": _LETTERS[participant.notify],
            "ConnectionTs": None,
            "ExpiresTs": None,
            "RSVP": _RSVPS[participant.rsvp],
            "ParticipantExternalId": participant.external_id or "",
            "Passkey": self._links.passkey(participant) if self._account.require_passkey else "",
        }


def time_of(moment: int) -> str:
    """Return a time as the vendor writes it: UTC, without saying so."""
    return f"{datetime.fromtimestamp(moment // SECOND, UTC):%Y-%m-%dT%H:%M:%S}"
