"""SecureVideo's Login API: 201 for a new login, and "" for no address, are [ours]."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vestibule.dialects.securevideo.wire import answer, external_id_of, is_named_by_query, members_of

if TYPE_CHECKING:
    from vestibule.dialects.front_door import Call
    from vestibule.http.event import Answer


def issue(call: Call) -> Answer:
    """``POST /login/{userId}``."""
    account = call.house.accounts.get(call.caller.account_id)
    on_expiry = members_of(call).text("RedirectToUriOnExpiry")
    user_id = call.values["user_id"]
    # The external_id's own pointer carries what issuing needs: the user is not read.
    who = {"external_id": external_id_of(call) or ""} if is_named_by_query(user_id) else {"user_id": user_id}
    issued = call.house.login_uris.issue(account, **who, redirect_to_uri_on_expiry=on_expiry)
    hub_url = call.house.settings.hub_url(account.slug)
    return answer(
        201,
        {
            "LoginGuid": issued.guid,
            "RedirectToUriOnExpiry": on_expiry or "",
            "LoginUri": f"{hub_url}/Account/AutoLogin/{issued.guid}",
        },
    )


def revoke(call: Call) -> Answer:
    """``DELETE /login/{guid}``."""
    account = call.house.accounts.get(call.caller.account_id)
    call.house.login_uris.revoke(account, call.values["guid"].lower())
    return answer(204)
