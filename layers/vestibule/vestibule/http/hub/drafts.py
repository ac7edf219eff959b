"""Forms that were sent, or left, when nobody was signed in any more: what was typed waits in the browser.

Such a form names whose it is.  What was typed comes back to that person alone, once, in
the form, and is never done by itself: a form's token belongs to one sign-in, and what
could not be proven then is not proven later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vestibule.clock import SECOND
from vestibule.domain.drafts import KEPT_FOR
from vestibule.http.hub import addresses
from vestibule.http.hub.visit import set_cookie

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vestibule.http.hub.visit import Visit
    from vestibule.model import User

COOKIE = "__Host-vestibule-draft"
OWNER = "form_user"
"""The field with the id of the user to whom the form was shown."""
LATER = "later"
"""The field by which a page's script says that the form is to be kept, not done: its sign-in has ended."""
NOT_TYPED = frozenset({OWNER, LATER, "form_token"})


def is_waiting(visit: Visit) -> bool:
    """Tell whether this browser keeps something for somebody."""
    return bool(visit.event.cookies.get(COOKIE))


def keep(visit: Visit) -> list[str]:
    """Return the Set-Cookie with what a form of this host sent, for whom it was shown to; nothing for any other POST.

    Raises
    ------
    UnavailableError
        The key cannot be read.
    """
    if visit.account is None or visit.event.method != "POST" or not visit.is_same_origin() or not _is_kept(visit):
        return []
    form = visit.event.form()
    if OWNER not in form:
        return []
    typed = {name: value for name, value in form.items() if name not in NOT_TYPED}
    sealed = visit.house.drafts.seal(visit.account.account_id, form[OWNER], _place(visit), typed)
    return [set_cookie(COOKIE, sealed, seconds=KEPT_FOR // SECOND)] if sealed else []


def waiting_for(visit: Visit, user: User) -> Mapping[str, str] | None:
    """Return what the user typed into this page's form before, None when there is nothing.

    Raises
    ------
    UnavailableError
        The key cannot be read.
    """
    sealed = visit.event.cookies.get(COOKIE)
    if not sealed or visit.event.is_speculative or not _is_kept(visit):
        return None
    return visit.house.drafts.open(user.account_id, user.user_id, _place(visit), sealed)


def sent_by(visit: Visit, user: User) -> Mapping[str, str] | None:
    """Return what a POST's form holds when it is the user's own, and may only be shown to them again.

    It is from another sign-in of theirs, or its script said that it was to be kept.
    """
    form = visit.event.form()
    is_theirs = form.get(OWNER) == user.user_id and visit.is_same_origin()
    return form if is_theirs and (LATER in form or not visit.is_own_form()) else None


def forget() -> str:
    """Return the Set-Cookie that takes away what was kept."""
    return set_cookie(COOKIE, "", seconds=0)


def _is_kept(visit: Visit) -> bool:
    """Tell whether the page has such forms; the functions of other pages may not read the key."""
    return visit.event.resource.startswith(addresses.PLAN)


def _place(visit: Visit) -> str:
    return addresses.canonical(visit.event.path, {}) or addresses.DASHBOARD
