"""``/join/{code}``: the waiting room of the one session that a connect code is for."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from vestibule.domain.entrances import Refusal, code_in
from vestibule.http import logs
from vestibule.http.hub import addresses
from vestibule.http.hub.session import visit_to
from vestibule.http.hub.visit import redirect

if TYPE_CHECKING:
    from vestibule.http.event import Answer
    from vestibule.http.hub.visit import Visit

_STATUS = {Refusal.MALFORMED: 404, Refusal.UNKNOWN: 404, Refusal.BLOCKED: 429}
_HOUR = "3600"


def join(visit: Visit) -> Answer:
    """Let somebody in by code, ask for what is missing, or say what to do."""
    if visit.account is None:
        return visit.elsewhere()
    query = visit.event.folded_query
    code = visit.event.path_values.get("code")
    if code is None:
        return _ask_for_code(visit, query.get("code"))
    found = visit.house.entrances.by_code(
        visit.account, code, passkey=query.get("passkey"), address=visit.event.address
    )
    if isinstance(found, Refusal):
        return _refuse(visit, found, code)
    return visit_to(visit, found, _path(code))


def _ask_for_code(visit: Visit, given: str | None) -> Answer:
    """Show the form for a code, or go where the code leads that it was sent with."""
    carried = addresses.carried(visit.event.folded_query)
    if given and given.strip():
        return redirect(addresses.with_query(_path(code_in(given) or given.strip()), carried))
    return visit.page("code.html", reason="", carried=carried)


def _refuse(visit: Visit, refusal: Refusal, code: str) -> Answer:
    carried = addresses.carried(visit.event.folded_query)
    if refusal in {Refusal.PASSKEY_WANTED, Refusal.PASSKEY_WRONG}:
        carried.pop("passkey", None)
        is_wrong = refusal is Refusal.PASSKEY_WRONG
        return visit.page("passkey.html", status=403, action=_path(code), carried=carried, is_wrong=is_wrong)
    if refusal is Refusal.UNKNOWN:
        # Counted by a metric filter of the template, which an alarm watches: keep the text.
        logs.log.warning("wrong connect code")
    if refusal is Refusal.BLOCKED:
        logs.log.warning("connect codes blocked")
    headers = {"Retry-After": _HOUR} if refusal is Refusal.BLOCKED else {}
    return visit.page("code.html", status=_STATUS[refusal], headers=headers, reason=refusal.value, carried=carried)


def _path(code: str) -> str:
    return f"{addresses.JOIN}/{quote(code_in(code) or code, safe='')}"
