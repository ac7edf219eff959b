"""SecureVideo's User API.

[ours]: how the letters of SystemRoles and our roles correspond, what VideoId looks
like, and that ``GET /user`` refuses to list more users than fit an answer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from vestibule.dialects import windows_zones
from vestibule.dialects.securevideo.wire import answer, members_of, user_of
from vestibule.domain.rules import Checks
from vestibule.errors import ConflictError
from vestibule.model import Role

if TYPE_CHECKING:
    from vestibule.dialects.front_door import Call
    from vestibule.dialects.reading import Members
    from vestibule.http.event import Answer
    from vestibule.model import User

USERS_AT_MOST = 2_000
"""Of ``GET /user``."""

_PLAIN = {"FullName": "full_name", "EmailAddress": "email", "ExternalId": "external_id"}
_KEPT = ("SmsNumber", "DefaultResolution", "HelpNumber")
"""What is kept for the client alone."""
_REQUIRED = ("FullName", "EmailAddress", "TimeZoneWindowsId", "HelpNumber")
_LETTERS = {Role.PROVIDER: "H,P", Role.MEMBER: "P", Role.GUEST: "I"}
_STRONG = re.compile(r"(?=.*[A-Z])(?=.*[a-z])(?=.*[0-9])(?=.*[!@#$&*]).{8,}", re.DOTALL)
"""The vendor's rule for passwords."""
_PAGE = 100


def index(call: Call) -> Answer:
    """``GET /user``."""
    found: list[User] = []
    after = None
    while True:
        page, after = call.house.users.page(call.caller.account_id, after=after, limit=_PAGE)
        found += page
        if after is None:
            return answer(200, [_shown(user) for user in found])
        if len(found) >= USERS_AT_MOST:
            detail = f"There are more than {USERS_AT_MOST} users; ask for one by id or externalId."
            raise ConflictError("too_many_users", detail)


def find(call: Call) -> Answer:
    """``GET /user/{id}``."""
    return answer(200, _shown(user_of(call)))


def create(call: Call) -> Answer:
    """``POST /user``."""
    members = members_of(call)
    checks = Checks()
    for name in _REQUIRED:
        if members.text(name) is None:
            checks.refuse(name, "required", "is required.")
    checks.finish()
    given = {name: value for name, value in _fields(members, None).items() if value is not None}
    return answer(201, _shown(call.house.users.create(call.caller.account_id, given)))


def change(call: Call) -> Answer:
    """``PUT /user/{id}``: the whole object may come back, SystemUserId and VideoId are passed over."""
    before = user_of(call)
    fields = _fields(members_of(call), before)
    return answer(200, _shown(call.house.users.change(before.account_id, before.user_id, fields)))


def delete(call: Call) -> Answer:
    """``DELETE /user/{id}``."""
    user = user_of(call)
    call.house.users.delete(user.account_id, user.user_id)
    return answer(204)


def set_password(call: Call) -> Answer:
    """``PUT /password/{id}``."""
    user = user_of(call)
    password = _strong(members_of(call).verbatim("NewPassword") or "")
    call.house.users.change(user.account_id, user.user_id, {"password": password})
    return answer(204)


def _shown(user: User) -> dict[str, Any]:
    kept = user.extras
    return {
        "SystemUserId": user.user_id,
        "FullName": user.full_name,
        "EmailAddress": user.email or "",
        "SmsNumber": kept.get("SmsNumber", ""),
        "DefaultResolution": kept.get("DefaultResolution", "high"),
        "TimeZoneWindowsId": windows_zones.name_of(user.time_zone),
        "HelpNumber": kept.get("HelpNumber", ""),
        "VideoId": f"securevideo+sv{user.user_id:0>10}",
        "ExternalId": user.external_id or "",
        "SystemRoles": _LETTERS[user.role],
        "NewPassword": None,
    }


def _fields(members: Members, before: User | None) -> dict[str, Any]:
    """Return the given members as the domain takes them; None clears one."""
    checks = Checks()
    fields: dict[str, Any] = {ours: members.text(theirs) for theirs, ours in _PLAIN.items() if theirs in members}
    if "full_name" in fields and fields["full_name"] is None:
        checks.refuse("full_name", "required", "is required.")
    if "TimeZoneWindowsId" in members:
        name, zone = members.text("TimeZoneWindowsId"), before.time_zone if before else None
        if name != (windows_zones.name_of(zone) or None):
            fields["time_zone"] = name and checks.apply("time_zone", windows_zones.iana_of, name)
    checks.finish()
    if letters := members.text("SystemRoles"):
        fields["role"] = _role(letters)
    if password := members.verbatim("NewPassword"):
        fields["password"] = _strong(password)
    kept = {name: members.text(name) or "" for name in _KEPT if name in members}
    return fields | {"extras": {**(before.extras if before else {}), **kept}}


def _role(letters: str) -> Role:
    """Return what the letters say: H hosts, P takes part, I is invited."""
    given = {letter.strip().upper() for letter in letters.split(",")}
    if "H" in given:
        return Role.PROVIDER
    return Role.MEMBER if "P" in given else Role.GUEST


def _strong(password: str) -> str:
    if not _STRONG.match(password):
        raise ConflictError(
            "password_too_weak",
            "The password needs 8 or more characters, among them an upper-case letter, a lower-case letter, "
            "a digit and one of ! @ # $ & *.",
        )
    return password
