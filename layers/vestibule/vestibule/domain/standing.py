"""Whether an account and a user of it are let do anything at all."""

from __future__ import annotations

from vestibule.errors import ForbiddenError
from vestibule.model import Status


def require_active_account(status: Status | None) -> None:
    """Let an active account go on.

    Raises
    ------
    ForbiddenError
        The account is disabled, or there is none.
    """
    if status is not Status.ACTIVE:
        raise ForbiddenError("account_disabled", "The account is disabled.")


def require_active_user(status: Status) -> None:
    """Let an active user go on.

    Raises
    ------
    ForbiddenError
        The user is disabled.
    """
    if status is not Status.ACTIVE:
        raise ForbiddenError("user_disabled", "The user is disabled.")
