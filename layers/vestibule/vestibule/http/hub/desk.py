"""Where somebody who is signed in does things: their forms, and each of them once.

A form carries a key of its own, so what a double click or a reload sends twice is
done once, by the very records that serve the API's Idempotency-Key.
"""

from __future__ import annotations

import json
import re
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from vestibule.domain.idempotency import Ask
from vestibule.domain.sign_ins import Present
from vestibule.errors import BusyError, UnavailableError
from vestibule.http import logs
from vestibule.http.hub import drafts
from vestibule.http.hub.visit import redirect
from vestibule.http.problems import RETRY_AFTER, status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vestibule.domain.sign_ins import Over
    from vestibule.http.event import Answer
    from vestibule.http.hub.visit import Visit
    from vestibule.model import Account, User
    from vestibule.wiring import House

    type Counter = Callable[[Desk], Answer]

UNSURE = (BusyError, UnavailableError)
"""After these nobody knows yet whether it was done; sending the same form once more finds out, and does it once."""

_FORBIDDEN = 403
_KEY = re.compile(r"[0-9a-f]{32}")
_KEY_BYTES = 16
_OF_THE_FORM = drafts.NOT_TYPED | {"form_key"}
_LOOKS, _BETWEEN_LOOKS = 12, 0.3
"""How often, and after how many seconds, it is looked whether the first of two clicks is through."""


class Desk:
    """One request of somebody who is signed in, and may do things here.

    Parameters
    ----------
    present
        Who it is.
    draft
        What they typed before, which was not done: the form is shown with it.
    """

    def __init__(
        self, visit: Visit, account: Account, present: Present, draft: Mapping[str, str] | None = None
    ) -> None:
        self.visit = visit
        self.account = account
        self.present = present
        self.draft = draft

    @property
    def house(self) -> House:
        """The rooms behind the pages."""
        return self.visit.house

    @property
    def user(self) -> User:
        """Who is signed in."""
        return self.present.user

    @property
    def is_post(self) -> bool:
        """Whether a form was sent, to be done."""
        return self._was_sent and self.draft is None

    @property
    def _was_sent(self) -> bool:
        return self.visit.event.method == "POST"

    @cached_property
    def form(self) -> Mapping[str, str]:
        """The fields of the form that was sent, now or before."""
        return self.visit.event.form() if self.draft is None else self.draft

    @cached_property
    def key(self) -> str:
        """The key of the form: the one that was sent, else a new one."""
        given = self.form.get("form_key", "")
        return given if _KEY.fullmatch(given) else self.new_key()

    def new_key(self) -> str:
        """Return a key for a form that has not been sent."""
        return self.house.random.token_hex(_KEY_BYTES)

    def page(self, template: str, *, status: int = 200, **values: Any) -> Answer:
        """Answer with a page for somebody who is signed in."""
        shared: dict[str, Any] = {
            "person_name": self.user.full_name,
            "form_token": self.present.credential.form_token,
            "form_key": self.key,
            "form_user": self.user.user_id,
            "is_typed": self._was_sent or self.draft is not None,
            "login": self.present.login.key,
            # What was kept is handed over once: from now on it stands in the page.
            "cookies": [drafts.forget()] if self.draft is not None and not self._was_sent else (),
        }
        return self.visit.page(template, status=status, **(shared | values))

    def once[T](
        self,
        create: Callable[[str], T],
        find: Callable[[str], T],
        *,
        created_at: Callable[[T], int] = attrgetter("created_at"),
        resumes: bool = False,
    ) -> T:
        """Do what the form asks for, once for all times that it is sent.

        A second click while the first is at work waits for it: its answer is the
        one that the browser shows.

        Parameters
        ----------
        create, find, created_at, resumes
            See `vestibule.domain.idempotency.Idempotency.once`.

        Raises
        ------
        VestibuleError
            Whatever `Idempotency.once` raises.
        """
        sent = {name: value for name, value in self.form.items() if name not in _OF_THE_FORM}
        ask = Ask(
            self.account.account_id,
            f"user#{self.user.user_id}",
            f"POST {self.visit.event.path}",
            self.key,
            json.dumps(sent, sort_keys=True),
        )
        keys = self.house.idempotency
        for _ in range(_LOOKS):
            try:
                return keys.once(ask, create, find, created_at=created_at, resumes=resumes)[0]
            except BusyError:
                self.house.pause(_BETWEEN_LOOKS)
        return keys.once(ask, create, find, created_at=created_at, resumes=resumes)[0]


def try_again(error: BusyError | UnavailableError) -> dict[str, Any]:
    """Return status and headers of a page that shows the form once more, as it was typed."""
    return {"status": status_of(error), "headers": {"Retry-After": RETRY_AFTER}}


def at_desk(
    visit: Visit, counter: Counter, *, is_activity: bool = True, nobody: Callable[[Over | None], Answer] | None = None
) -> Answer:
    """Serve somebody who is signed in, where the account lets people do things; everybody else gets no further.

    Parameters
    ----------
    is_activity
        Whether asking keeps the person signed in.
    nobody
        What answers when nobody is signed in; unless told otherwise, `Visit.sent_on`.
    """
    if visit.account is None:
        return visit.elsewhere()
    found = visit.sign_in(is_activity=is_activity)
    if not isinstance(found, Present):
        return nobody(found) if nobody else visit.sent_on(found, cookies=drafts.keep(visit))
    logs.about(account_id=found.user.account_id, user_id=found.user.user_id)
    if visit.account.launch_panel_only:
        return Desk(visit, visit.account, found).page("panel_only.html", status=_FORBIDDEN)
    if visit.event.method != "POST":
        return counter(Desk(visit, visit.account, found, drafts.waiting_for(visit, found.user)))
    draft = drafts.sent_by(visit, found.user)
    if draft is None and not visit.is_own_form():
        return _refused(visit)
    return counter(Desk(visit, visit.account, found, draft))


def _refused(visit: Visit) -> Answer:
    """Refuse a form that is not this person's; what another typed waits for that other."""
    kept = drafts.keep(visit)
    if drafts.LATER in visit.event.form():
        return redirect(visit.here, cookies=kept)
    return visit.page("form_refused.html", status=_FORBIDDEN, back_url=visit.here, cookies=kept)
