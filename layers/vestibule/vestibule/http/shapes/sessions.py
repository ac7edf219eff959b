"""Sessions and participants on the wire."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BeforeValidator, Field

from vestibule.clock import from_datetime, to_rfc3339
from vestibule.domain.links import Links
from vestibule.domain.participants import ADDED_AT_ONCE, Invitee
from vestibule.domain.sessions import FOREVER, INVITED_AT_FIRST, Filter, HostRef
from vestibule.errors import FieldError, InvalidError
from vestibule.http.api import Body, Request
from vestibule.model import Account, Channel, Delivery, Participant, ParticipantRole, Registration, Session

type Notify = Literal["email", "sms", "none"]
type Role = Literal["presenter", "organizer", "attendee", "observer"]


def _from_text(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError("must be a time with an offset, such as 2027-01-31T09:00:00Z")
    return moment


type Moment = Annotated[AwareDatetime, BeforeValidator(_from_text)]
"""RFC 3339 with an offset."""


_UNSET = datetime.min.replace(tzinfo=UTC)


class HostIn(Body):
    """Who hosts: one of the two."""

    user_id: str | None = None
    external_id: str | None = None
    notify: Notify = "none"

    def ref(self) -> HostRef:
        """Return the host as the domain names it.

        Raises
        ------
        InvalidError
            Neither or both are named.
        """
        if bool(self.user_id) is bool(self.external_id):
            detail = "host: name the user by either user_id or external_id."
            raise InvalidError(FieldError("host", "one_of", detail))
        return HostRef(self.user_id or None, self.external_id or None, Channel(self.notify))


class ParticipantIn(Body):
    """One person to be invited: a user of the account, or a guest by name."""

    full_name: str | None = None
    email: str | None = None
    phone: str | None = None
    user_id: str | None = None
    external_id: str | None = None
    role: Role = "attendee"
    notify: Notify = "none"

    def invitee(self) -> Invitee:
        """Return the person as the domain takes them."""
        return Invitee(
            full_name=self.full_name,
            email=self.email,
            phone=self.phone,
            user_id=self.user_id,
            external_id=self.external_id,
            role=ParticipantRole(self.role),
            notify=Channel(self.notify),
        )


class ParticipantsAdd(Body):
    """Body of ``POST /v1/sessions/{id}/participants``."""

    participants: list[ParticipantIn] = Field(min_length=1, max_length=ADDED_AT_ONCE)


class ParticipantChange(Body):
    """Body of ``PATCH /v1/sessions/{id}/participants/{pid}``: members left out stay, ``null`` clears."""

    full_name: str = ""
    email: str | None = None
    phone: str | None = None
    external_id: str | None = None
    role: Role = "attendee"
    notify: Notify = "none"
    rsvp: Literal["pending", "accepted", "tentative", "declined"] = "pending"


class RegistrationIn(Body):
    """Who may sign up by themselves, and when."""

    public: bool = False
    capacity: int | None = None
    opens_at: Moment | None = None
    closes_at: Moment | None = None

    def settings(self) -> Registration:
        """Return the settings as the domain keeps them."""
        return Registration(
            public=self.public,
            capacity=self.capacity,
            opens_at=_moment(self.opens_at),
            closes_at=_moment(self.closes_at),
        )


class SessionChange(Body):
    """Body of ``PATCH /v1/sessions/{id}``: members left out stay, ``null`` clears."""

    title: str = ""
    starts_at: Moment = _UNSET
    duration_minutes: int = 0
    time_zone: str = ""
    room_id: str | None = None
    external_id: str | None = None
    friendly_url: str | None = None
    password: str | None = Field(default=None, repr=False)
    presenters: list[str] | None = None
    organizers: list[str] | None = None
    registration: RegistrationIn | None = None
    metadata: dict[str, Any] | None = None

    def fields(self) -> dict[str, Any]:
        """Return the members that were given, as the domain takes them."""
        given = {name: getattr(self, name) for name in self.model_fields_set if name in SessionChange.model_fields}
        if "starts_at" in given:
            given["starts_at"] = from_datetime(self.starts_at)
        if self.registration is not None:
            given["registration"] = self.registration.settings()
        return given


class SessionCreate(SessionChange):
    """Body of ``POST /v1/sessions``."""

    title: str
    host: HostIn
    participants: list[ParticipantIn] = Field(default_factory=list, max_length=INVITED_AT_FIRST)


def filter_of(request: Request) -> tuple[Filter, tuple[str, ...]]:
    """Return what a list of sessions is to hold, and what its cursor is bound to.

    Raises
    ------
    InvalidError
        A parameter is unknown or unusable.
    """
    asked = request.query("host_user_id", "participant_email", "starts_from", "starts_before", "cursor", "limit")
    if "host_user_id" in asked and "participant_email" in asked:
        detail = "host_user_id: cannot be combined with participant_email."
        raise InvalidError(FieldError("host_user_id", "one_of", detail))
    first = _asked_moment(request, "starts_from", FOREVER.start)
    stop = _asked_moment(request, "starts_before", FOREVER.stop)
    wanted = Filter(asked.get("host_user_id"), asked.get("participant_email"), range(first, stop))
    binding = ("sessions", wanted.host_user_id or "", wanted.participant_email or "", str(first), str(stop))
    return wanted, binding


class SessionView:
    """Shows sessions and participants of one account.

    Parameters
    ----------
    account
        Its slug is in the links, its passkey setting decides what is shown.
    links
        Derives them.
    """

    def __init__(self, account: Account, links: Links) -> None:
        self._account = account
        self._links = links

    def session(
        self,
        session: Session,
        participants: Iterable[Participant] | None = None,
        deliveries: Mapping[str, Delivery] | None = None,
    ) -> dict[str, Any]:
        """Return a session, with its participants when they were read."""
        registration = session.registration
        shown = {
            "id": session.session_id,
            "title": session.title,
            "status": session.status,
            "host": {"user_id": session.host_user_id},
            "starts_at": to_rfc3339(session.starts_at),
            "ends_at": to_rfc3339(session.ends_at),
            "duration_minutes": session.duration_minutes,
            "time_zone": session.time_zone,
            "room_id": session.room_id,
            "external_id": session.external_id,
            "friendly_url": session.friendly_url,
            "has_password": session.password_hash is not None,
            "presenters": list(session.presenters),
            "organizers": list(session.organizers),
            "registration": {
                "public": registration.public,
                "capacity": registration.capacity,
                "opens_at": _shown(registration.opens_at),
                "closes_at": _shown(registration.closes_at),
            },
            "metadata": json.loads(session.metadata),
            "session_link": self._links.session_link(self._account.slug, session),
            "friendly_link": self._links.friendly_link(self._account.slug, session),
            "cancelled_at": _shown(session.cancelled_at),
            "created_at": to_rfc3339(session.created_at),
            "updated_at": to_rfc3339(session.updated_at),
            "version": session.version,
        }
        if participants is not None:
            known = deliveries or {}
            shown["participants"] = [self.participant(p, known.get(p.participant_id)) for p in participants]
        return shown

    def participant(self, participant: Participant, delivery: Delivery | None = None) -> dict[str, Any]:
        """Return a participant with the code and the links that are theirs."""
        slug = self._account.slug
        return {
            "id": participant.participant_id,
            "full_name": participant.full_name,
            "email": participant.email,
            "phone": participant.phone,
            "user_id": participant.user_id,
            "external_id": participant.external_id,
            "role": participant.role,
            "notify": participant.notify,
            "rsvp": participant.rsvp,
            "delivery": _delivery(participant, delivery),
            "connect_code": self._links.connect_code(participant),
            "passkey": self._links.passkey(participant) if self._account.require_passkey else None,
            "personal_link": self._links.personal_link(slug, participant),
            "join_link": self._links.join_link(slug, participant),
            "created_at": to_rfc3339(participant.created_at),
            "updated_at": to_rfc3339(participant.updated_at),
        }


def _delivery(participant: Participant, last: Delivery | None) -> dict[str, Any] | None:
    """Return what became of the last letter, or that one is on its way."""
    event = participant.event
    if event is not None and (last is None or last.caused_at < event.at):
        return {"state": "queued", "channel": participant.notify, "at": to_rfc3339(event.at), "reason": None}
    if last is None:
        return None
    return {"state": last.state, "channel": last.channel, "at": to_rfc3339(last.at), "reason": last.reason}


def _asked_moment(request: Request, name: str, default: int) -> int:
    text = request.event.query.get(name)
    if text is None:
        return default
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError  # noqa: TRY301 - one answer for whatever is wrong with it
        return max(0, from_datetime(moment))
    except ValueError:
        detail = f"{name}: must be a time with an offset, such as 2027-01-31T09:00:00Z."
        raise InvalidError(FieldError(name, "wrong_type", detail)) from None


def _moment(value: datetime | None) -> int | None:
    return None if value is None else from_datetime(value)


def _shown(moment: int | None) -> str | None:
    return None if moment is None else to_rfc3339(moment)
