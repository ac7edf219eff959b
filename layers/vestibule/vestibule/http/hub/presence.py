"""``/dashboard/presence``: who is in the sessions that the signed-in person hosts, as a part of their dashboard.

Asked by the dashboard's script alone, for the sessions that are open on it, so that the
dashboard itself reads nothing more.  Asking keeps nobody signed in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vestibule.domain.sign_ins import Present
from vestibule.http import logs
from vestibule.http.hub.visit import json_answer

if TYPE_CHECKING:
    from vestibule.http.event import Answer
    from vestibule.http.hub.visit import Visit

_FORBIDDEN = 403


def presence(visit: Visit) -> Answer:
    """Tell who is in the sessions that ``sessions`` names; of somebody else's nothing is said."""
    if visit.account is None:
        return visit.elsewhere()
    found = visit.sign_in(is_activity=False)
    # The page around it notices by itself who is signed in (/sign-in/state).
    if not isinstance(found, Present) or visit.account.launch_panel_only:
        return json_answer("{}") | {"statusCode": _FORBIDDEN}
    logs.about(account_id=found.user.account_id, user_id=found.user.user_id)
    wanted = visit.event.folded_query.get("sessions", "").split(".")
    return visit.page("_presence.html", glances=visit.house.presence.glances(found.user, wanted))
