"""What somebody is in a session, decided when they join: no link and no token says it.

An address or a portal's id that is put on a list of the session counts from the next
joining on, for whoever has come in by whatever way (vendor's promise about changes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vestibule.model import ParticipantRole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vestibule.model import Session


def role_of(
    session: Session,
    *,
    user_id: str | None = None,
    names: Iterable[str | None] = (),
    invited_as: ParticipantRole = ParticipantRole.ATTENDEE,
) -> ParticipantRole:
    """Return a person's role.

    Parameters
    ----------
    user_id
        Ours, of a registered user.
    names
        Proven names of the person that the lists may hold: e-mail address, the portal's own id.
    invited_as
        Role as a participant; what counts when no list names the person.
    """
    if user_id is not None and user_id == session.host_user_id:
        return ParticipantRole.HOST
    known = {name.casefold() for name in (user_id, *names) if name}
    if known.intersection(entry.casefold() for entry in session.presenters):
        return ParticipantRole.PRESENTER
    if known.intersection(entry.casefold() for entry in session.organizers):
        return ParticipantRole.ORGANIZER
    return invited_as
