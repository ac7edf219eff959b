"""``/plan/{session_id}``: what the host of a session does with it.

Every page and every form here is the host's alone; whoever else is signed in is
told so.  The rules are the domain's: what it refuses is said in words, on the page
that it was asked from, and nothing that was typed is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vestibule import ids
from vestibule.clock import MINUTE, SECOND
from vestibule.domain import passwords
from vestibule.domain.hosting import is_host
from vestibule.domain.phases import CLOSED, Phase, phase_of
from vestibule.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    TooManyError,
    VersionMismatchError,
    no_such_participant,
    no_such_session,
)
from vestibule.http import logs
from vestibule.http.hub import addresses
from vestibule.http.hub.desk import UNSURE, try_again
from vestibule.http.hub.plan_form import (
    CHANNELS,
    LIMITS,
    REFUSED,
    ROLES,
    TYPED_BEFORE,
    WHOLE,
    PeopleForm,
    PersonForm,
    SessionForm,
    problems_of,
    problems_of_person,
    refusal,
    taking_part,
    zones,
)
from vestibule.http.hub.visit import redirect
from vestibule.http.pages.times import span
from vestibule.http.problems import status_of
from vestibule.model import ParticipantRole

if TYPE_CHECKING:
    from collections.abc import Callable

    from vestibule.errors import VestibuleError
    from vestibule.http.event import Answer
    from vestibule.http.hub.desk import Desk
    from vestibule.http.hub.plan_form import Problems
    from vestibule.http.pages.times import Span
    from vestibule.model import Delivery, Participant, Session
    from vestibule.store.directory.sessions import Gathering

PEOPLE_SHOWN = 12
"""Participants on one page, with their codes and links."""

_FORBIDDEN = 403
_NOT_FOUND = 404
_UNPROCESSABLE = 422
_LONGEST_NUMBER = 9
_DONE = frozenset({"planned", "changed", "cancelled", "added", "removed", "reminded", "person_changed", "rotated"})


@dataclass(frozen=True, slots=True)
class Hosted:
    """A session at the desk of its host, as it was when the request came in."""

    desk: Desk
    gathering: Gathering

    @property
    def session(self) -> Session:
        """The session."""
        return self.gathering.session

    @property
    def phase(self) -> Phase:
        """Where it is in its time."""
        return phase_of(self.session, self.desk.house.clock())

    @property
    def participant(self) -> Participant | None:
        """Whom the address names, as far as they take part."""
        named = self.desk.visit.event.path_values.get("participant_id")
        return next((one for one in self.gathering.participants if one.participant_id == named), None)

    def done(self, what: str, *, page: str = "") -> Answer:
        """Send the browser to the session's page, which says what was done."""
        logs.log.info("session managed in the hub", done=what)
        query = {"done": what} | ({"page": page} if page else {})
        return redirect(addresses.with_query(addresses.plan_of(self.session.session_id), query))


def overview(desk: Desk) -> Answer:
    """Show a session with its people, their codes and links."""
    return _hosted(desk, _overview)


def step(desk: Desk) -> Answer:
    """Change or cancel a session, or add people to it."""
    counter = {"change": _change, "cancel": _cancel, "add": _add}.get(desk.visit.event.path_values.get("step", ""))
    return _hosted(desk, counter) if counter else _no_page(desk)


def step_of_participant(desk: Desk) -> Answer:
    """Change, remove or remind somebody, or give them a new link and code."""
    counters = {"change": _change_person, "remove": _remove, "remind": _remind, "rotate": _rotate}
    counter = counters.get(desk.visit.event.path_values.get("step", ""))
    return _hosted(desk, counter) if counter else _no_page(desk)


def _no_page(desk: Desk) -> Answer:
    return desk.visit.page("not_found.html", status=_NOT_FOUND)


def _hosted(desk: Desk, counter: Callable[[Hosted], Answer]) -> Answer:
    """Read the session, strongly consistently, and let its host go on."""
    session_id = desk.visit.event.path_values.get("session_id", "")
    try:
        if not ids.is_object_id(session_id):
            raise no_such_session()
        gathering = desk.house.participants.gathering(desk.account.account_id, session_id)
    except NotFoundError:
        return desk.visit.page("session_unknown.html", status=_NOT_FOUND)
    logs.about(session_id=session_id)
    if not is_host(desk.user, gathering.session):
        return desk.page("host_only.html", status=_FORBIDDEN, is_session=True)
    return counter(Hosted(desk, gathering))


# --- the session ----------------------------------------------------------------------------------------


def _overview(hosted: Hosted, alert: dict[str, Any] | None = None, **answer: Any) -> Answer:
    """Show the session.

    Parameters
    ----------
    alert
        What was refused, as the template's code, and whom it was about.
    """
    desk, session, phase = hosted.desk, hosted.session, hosted.phase
    links, slug = desk.house.links, desk.account.slug
    people = hosted.gathering.participants
    query = desk.visit.event.folded_query
    pages = max(1, -(-len(people) // PEOPLE_SHOWN))
    page = min(pages, _number(query.get("page", "1")))
    shown = people[(page - 1) * PEOPLE_SHOWN : page * PEOPLE_SHOWN]
    here = addresses.plan_of(session.session_id)
    return desk.page(
        "manage.html",
        session_title=session.title,
        when=_when(hosted),
        minutes=session.duration_minutes,
        phase=phase.value,
        is_open=phase not in CLOSED,
        has_password=session.password_hash is not None,
        session_link=links.session_link(slug, session),
        friendly_link=links.friendly_link(slug, session),
        join_url=addresses.session_page(session.session_id) if phase not in CLOSED else None,
        url=here,
        people=[_person(hosted, one) for one in shown],
        count=len(people),
        page=page,
        pages=pages,
        done=query.get("done") if query.get("done") in _DONE and not alert else None,
        alert=alert,
        **answer,
    )


def _when(hosted: Hosted) -> Span:
    return span(hosted.desk.visit.texts, hosted.session)


def _number(text: str) -> int:
    is_one = text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER
    return max(1, int(text)) if is_one else 1


def _person(hosted: Hosted, participant: Participant) -> dict[str, Any]:
    """Return somebody who takes part, as the template shows them."""
    desk = hosted.desk
    links, slug = desk.house.links, desk.account.slug
    is_open = hosted.phase not in CLOSED
    is_the_host = participant.role is ParticipantRole.HOST
    return {
        "id": participant.participant_id,
        "name": participant.full_name,
        "email": participant.email,
        "role": participant.role.value,
        "letter": _letter(participant, hosted.gathering.deliveries.get(participant.participant_id)),
        "code": links.connect_code(participant),
        "passkey": links.passkey(participant) if desk.account.require_passkey else None,
        "personal_link": links.personal_link(slug, participant),
        "may_change": is_open,
        "may_remind": is_open and not is_the_host and bool(participant.email or participant.phone),
        "may_remove": is_open and not is_the_host,
    }


def _letter(participant: Participant, last: Delivery | None) -> str | None:
    """Return what became of the last letter, as the template's code; None when there was none."""
    event = participant.event
    if event is not None and (last is None or last.caused_at < event.at):
        return "queued"
    return last.state.value if last else None


def _change(hosted: Hosted) -> Answer:
    """Show the form of a session's fields, or change those that differ from what is."""
    desk, session = hosted.desk, hosted.session
    shown = SessionForm.shown(session)
    if hosted.phase is Phase.CANCELLED:
        return _refused(hosted, ConflictError("session_cancelled", "The session is cancelled."))
    if desk.draft is not None:
        return _form(hosted, SessionForm.read(desk.draft), TYPED_BEFORE, version=desk.draft.get("version"))
    if not desk.is_post:
        return _form(hosted, shown)
    typed = SessionForm.read(desk.form)
    fields, problems = typed.fields(shown)
    if problems:
        return _form(hosted, typed, problems, version=desk.form.get("version"), status=_UNPROCESSABLE)
    return hosted.done("changed") if _is_so_already(session, fields) else _changed(hosted, typed, fields)


def _changed(hosted: Hosted, typed: SessionForm, fields: dict[str, Any]) -> Answer:
    """Change the session, unless it is not the one any more that the form was made from."""
    desk, session = hosted.desk, hosted.session
    if desk.form.get("version") != str(session.version):
        return _changed_meanwhile(hosted, typed)
    try:
        desk.house.sessions.change(session.account_id, session.session_id, fields, seen=session.version)
    except VersionMismatchError:
        again = desk.house.participants.gathering(session.account_id, session.session_id)
        return _changed_meanwhile(Hosted(desk, again), typed)
    except InvalidError as error:
        return _form(hosted, typed, problems_of(error, PeopleForm()), status=_UNPROCESSABLE)
    except UNSURE as error:
        return _form(hosted, typed, {WHOLE: "unsure"}, **try_again(error))
    except ConflictError as error:
        return _form(hosted, typed, {WHOLE: error.code}, status=status_of(error))
    return hosted.done("changed")


def _is_so_already(session: Session, fields: dict[str, Any]) -> bool:
    """Tell whether nothing is left to change: the same form came twice, or somebody else did the same."""
    if not fields:
        return True
    if fields.keys() != {"password"}:
        return False
    wanted, held = fields["password"], session.password_hash
    return held is None if wanted is None else held is not None and passwords.is_right(wanted, held)


def _changed_meanwhile(hosted: Hosted, typed: SessionForm) -> Answer:
    """Show what the session is by now, with what was typed still in the form: sent again, it counts."""
    return _form(hosted, typed, {WHOLE: "changed_meanwhile"}, status=status_of(VersionMismatchError()))


def _form(
    hosted: Hosted,
    typed: SessionForm,
    problems: Problems | None = None,
    *,
    version: str | None = None,
    **answer: Any,
) -> Answer:
    session = hosted.session
    return hosted.desk.page(
        "plan_change.html",
        url=addresses.plan_of(session.session_id),
        session_title=session.title,
        when=_when(hosted),
        minutes=session.duration_minutes,
        has_password=session.password_hash is not None,
        version=version or str(session.version),
        typed=typed,
        problems=problems or {},
        zones=zones(typed.zone),
        limits=LIMITS,
        **answer,
    )


def _cancel(hosted: Hosted) -> Answer:
    """Ask whether the session is to be cancelled, or cancel it."""
    desk, session = hosted.desk, hosted.session
    if not desk.is_post:
        return _confirm(hosted, "cancel")
    try:
        desk.house.sessions.cancel(session.account_id, session.session_id)
    except ConflictError as error:
        return _refused(hosted, error)
    return hosted.done("cancelled")


def _confirm(hosted: Hosted, what: str, participant: Participant | None = None) -> Answer:
    """Ask before something that people are told of."""
    session = hosted.session
    further = ("participants", participant.participant_id, what) if participant else (what,)
    return hosted.desk.page(
        "plan_confirm.html",
        what=what,
        url=addresses.plan_of(session.session_id),
        action=addresses.plan_of(session.session_id, *further),
        session_title=session.title,
        when=_when(hosted),
        name=participant.full_name if participant else None,
        page=_page_asked_for(hosted),
    )


def _refused(hosted: Hosted, error: VestibuleError, participant: Participant | None = None) -> Answer:
    """Show the session with what was refused, and until when."""
    alert: dict[str, Any] = {"code": error.code, "name": participant.full_name if participant else None, "minutes": 0}
    headers = {}
    if isinstance(error, TooManyError):
        alert["minutes"] = -(-error.retry_after * SECOND // MINUTE)
        headers = {"Retry-After": str(error.retry_after)}
    logs.log.info("refused in the hub", code=error.code)
    return _overview(hosted, alert, status=status_of(error), headers=headers)


# --- its people -----------------------------------------------------------------------------------------


def _add(hosted: Hosted) -> Answer:
    """Show the form of new people, or add them."""
    desk = hosted.desk
    if desk.draft is not None:
        return _people(hosted, PeopleForm.read(desk.draft), TYPED_BEFORE)
    people = PeopleForm.read(desk.form) if desk.is_post else PeopleForm()
    if not desk.is_post or people.grown_from is not None:
        return _people(hosted, people)
    # Who takes part already is not looked at yet: after a double click these very people do.
    problems = people.problems(()) if people.is_anybody else {"name-1": "invalid_length"}
    return _people(hosted, people, problems, status=_UNPROCESSABLE) if problems else _added(hosted, people)


def _added(hosted: Hosted, people: PeopleForm) -> Answer:
    """Add the people: all of them, or none."""
    desk, session = hosted.desk, hosted.session
    participants, invitees = desk.house.participants, people.invitees()
    try:
        desk.once(
            lambda batch: participants.add(session.account_id, session.session_id, invitees, batch),
            lambda batch: participants.added_by(session.account_id, session.session_id, batch),
            resumes=True,
        )
    except REFUSED as error:
        return _people(hosted, people, **refusal(desk, error, people, taking_part(hosted.gathering.participants)))
    last = -(-(len(hosted.gathering.participants) + len(invitees)) // PEOPLE_SHOWN)
    return hosted.done("added", page=str(last))


def _people(hosted: Hosted, people: PeopleForm, problems: Problems | None = None, **values: Any) -> Answer:
    return hosted.desk.page(
        "plan_people.html",
        url=addresses.plan_of(hosted.session.session_id),
        session_title=hosted.session.title,
        people=people,
        roles=ROLES,
        problems=problems or {},
        limits=LIMITS,
        **values,
    )


def _remove(hosted: Hosted) -> Answer:
    """Ask whether somebody is to be removed, or remove them; gone already is removed."""
    desk, session = hosted.desk, hosted.session
    participant = hosted.participant
    if participant is None:
        # Gone already: the first of two clicks was faster, or another of the host's windows.
        return hosted.done("removed") if desk.is_post else _refused(hosted, no_such_participant())
    if not desk.is_post:
        return _confirm(hosted, "remove", participant)
    try:
        desk.house.participants.remove(session.account_id, session.session_id, participant.participant_id)
    except NotFoundError:
        logs.log.info("removed already")
    except ConflictError as error:
        return _refused(hosted, error, participant)
    return hosted.done("removed", page=desk.form.get("page", "")[:_LONGEST_NUMBER])


def _change_person(hosted: Hosted) -> Answer:
    """Show the form of somebody who takes part, or change what differs from what is."""
    desk = hosted.desk
    participant = hosted.participant
    if participant is None:
        return _refused(hosted, no_such_participant())
    if hosted.phase is Phase.CANCELLED:
        return _refused(hosted, ConflictError("session_cancelled", "The session is cancelled."))
    shown = PersonForm.shown(participant)
    if desk.draft is not None:
        draft = PersonForm.read(desk.draft, shown)
        return _person_form(hosted, participant, draft, TYPED_BEFORE, version=desk.draft.get("version"))
    if not desk.is_post:
        return _person_form(hosted, participant, shown)
    typed = PersonForm.read(desk.form, shown)
    fields, problems = typed.fields(shown)
    if problems:
        version = desk.form.get("version")
        return _person_form(hosted, participant, typed, problems, version=version, status=_UNPROCESSABLE)
    return _person_changed(hosted, participant, typed, fields) if fields else _done_with(hosted, "person_changed")


def _person_changed(hosted: Hosted, participant: Participant, typed: PersonForm, fields: dict[str, Any]) -> Answer:
    """Change somebody, unless they are not any more what the form was made from."""
    desk, session = hosted.desk, hosted.session
    ids_of = (session.account_id, session.session_id, participant.participant_id)
    answer: dict[str, Any] = {"status": _UNPROCESSABLE}
    try:
        if desk.form.get("version") != str(participant.version):
            raise VersionMismatchError  # noqa: TRY301 - one answer, whoever was faster
        desk.house.participants.change(*ids_of, fields, seen=participant.version)
    except VersionMismatchError as error:
        return _person_changed_meanwhile(hosted, typed, status_of(error))
    except NotFoundError:
        return _refused(hosted, no_such_participant())
    except InvalidError as error:
        problems = problems_of_person(error)
    except UNSURE as error:
        problems, answer = {WHOLE: "unsure"}, try_again(error)
    except ConflictError as error:
        if error.code == "participant_changed":
            return _person_changed_meanwhile(hosted, typed, status_of(error))
        problems, answer = {"email" if typed.email else "name": "takes_part"}, {"status": status_of(error)}
    else:
        return _done_with(hosted, "person_changed")
    return _person_form(hosted, participant, typed, problems, **answer)


def _person_changed_meanwhile(hosted: Hosted, typed: PersonForm, status: int) -> Answer:
    """Show what somebody is by now, with what was typed still in the form: sent again, it counts."""
    session = hosted.session
    again = hosted.desk.house.participants.gathering(session.account_id, session.session_id)
    now = Hosted(hosted.desk, again)
    present = now.participant
    if present is None:
        return _refused(now, no_such_participant())
    return _person_form(now, present, typed, {WHOLE: "person_changed_meanwhile"}, status=status)


def _person_form(
    hosted: Hosted,
    participant: Participant,
    typed: PersonForm,
    problems: Problems | None = None,
    *,
    version: str | None = None,
    **answer: Any,
) -> Answer:
    url = addresses.plan_of(hosted.session.session_id)
    return hosted.desk.page(
        "plan_person.html",
        url=url,
        action=addresses.plan_of(hosted.session.session_id, "participants", participant.participant_id, "change"),
        session_title=hosted.session.title,
        now=PersonForm.shown(participant),
        version=version or str(participant.version),
        page=_page_asked_for(hosted),
        typed=typed,
        roles=() if participant.role is ParticipantRole.HOST else ROLES,
        channels=CHANNELS,
        problems=problems or {},
        limits=LIMITS,
        **answer,
    )


def _page_asked_for(hosted: Hosted) -> int:
    """Return the page of the list that the person came from."""
    desk = hosted.desk
    return _number(desk.form.get("page") or desk.visit.event.folded_query.get("page", "1"))


def _done_with(hosted: Hosted, what: str) -> Answer:
    """Send the browser back to the page of the list that it came from."""
    return hosted.done(what, page=str(_page_asked_for(hosted)))


def _rotate(hosted: Hosted) -> Answer:
    """Ask whether somebody is to get a new link and code, or give them: once, however often the form is sent."""
    desk, session = hosted.desk, hosted.session
    participant = hosted.participant
    if participant is None:
        return _refused(hosted, no_such_participant())
    if not desk.is_post:
        return _confirm(hosted, "rotate", participant)
    ids_of = (session.account_id, session.session_id, participant.participant_id)
    participants = desk.house.participants
    try:
        desk.once(lambda _: participants.rotate(*ids_of)[1], lambda _: participants.get(*ids_of)[1])
    except (ConflictError, NotFoundError) as error:
        return _refused(hosted, error, participant)
    return _done_with(hosted, "rotated")


def _remind(hosted: Hosted) -> Answer:
    """Ask whether somebody is to be reminded, or remind them."""
    desk, session = hosted.desk, hosted.session
    participant = hosted.participant
    if participant is None:
        return _refused(hosted, no_such_participant())
    if not desk.is_post:
        return _confirm(hosted, "remind", participant)
    account_id, session_id, participant_id = session.account_id, session.session_id, participant.participant_id
    reminders, participants = desk.house.reminders, desk.house.participants
    try:
        desk.once(
            lambda _: reminders.remind(account_id, session_id, participant_id),
            lambda _: participants.get(account_id, session_id, participant_id)[1],
        )
    except (ConflictError, NotFoundError, TooManyError) as error:
        return _refused(hosted, error, participant)
    return hosted.done("reminded", page=desk.form.get("page", "")[:_LONGEST_NUMBER])
