"""What can go wrong, said once.

Every refusal that a caller can meet is one of these classes with a stable
``code``.  Which HTTP status, problem document, page or vendor error it becomes
is decided at the front doors (`vestibule.http`, `vestibule.dialects`); no error
here carries a secret or a table's internals in its text.
"""

from dataclasses import dataclass


class VestibuleError(Exception):
    """Base of all refusals.

    Parameters
    ----------
    code
        Stable, machine-readable, snake_case; part of the API's contract.
    detail
        One sentence for a person; safe to show to the caller.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class NotFoundError(VestibuleError):
    """The caller's account holds no such object (another account's is none either)."""


def no_such_session() -> NotFoundError:
    """Return the refusal of a session that the account does not have."""
    return NotFoundError("session_not_found", "The account has no such session.")


def no_such_user() -> NotFoundError:
    """Return the refusal of a user whom the account does not have."""
    return NotFoundError("user_not_found", "The account has no such user.")


def no_such_room() -> NotFoundError:
    """Return the refusal of a room that the account does not have."""
    return NotFoundError("room_not_found", "The account has no such room.")


def no_such_participant() -> NotFoundError:
    """Return the refusal of somebody who does not take part in the session."""
    return NotFoundError("participant_not_found", "The session has no such participant.")


class ConflictError(VestibuleError):
    """A unique name is taken, or the object changed under the caller's hands.

    Parameters
    ----------
    facts
        Ids that help the caller on; members of the problem document.
    """

    def __init__(self, code: str, detail: str, **facts: str) -> None:
        super().__init__(code, detail)
        self.facts = facts


class VersionMismatchError(VestibuleError):
    """The object is no longer the one that the caller saw (RFC 9110, 13.1.1)."""

    def __init__(self) -> None:
        super().__init__("version_mismatch", "The object was changed since; read it again.")


class BusyError(ConflictError):
    """Another request is at this very thing; the same call may succeed in a moment."""


class TooManyError(VestibuleError):
    """A limit for a span of time is reached; the same call succeeds later.

    Attributes
    ----------
    retry_after
        Seconds until then.
    """

    def __init__(self, code: str, detail: str, retry_after: int) -> None:
        super().__init__(code, detail)
        self.retry_after = retry_after


class ReusedKeyError(VestibuleError):
    """An idempotency key came with another request before."""

    def __init__(self) -> None:
        super().__init__("idempotency_key_reused", "The Idempotency-Key belongs to a request with another body.")


class ForbiddenError(VestibuleError):
    """The caller is known and may not do this."""


class UnauthenticatedError(VestibuleError):
    """The credentials are missing, wrong, expired or withdrawn.

    The text never says which: all are one answer.
    """

    def __init__(self) -> None:
        super().__init__("invalid_credentials", "The credentials are missing or not valid.")


class UnavailableError(VestibuleError):
    """A dependency failed or throttled us; nothing was lost and a retry may succeed."""

    def __init__(self, dependency: str) -> None:
        super().__init__("temporarily_unavailable", "The service is briefly unavailable; please try again.")
        self.dependency = dependency


class UndeliverableError(VestibuleError):
    """No further attempt will bring this message to its addressee; the delivery has failed."""


class InternalError(VestibuleError):
    """Something that should not have happened; the log knows more than the caller."""

    def __init__(self) -> None:
        super().__init__("internal_error", "Something went wrong here. The log has it under the request's id.")


@dataclass(frozen=True, slots=True)
class FieldError:
    """One member of the input that cannot be used.

    Attributes
    ----------
    field
        Dotted path of the member in the native API's spelling, ``""`` for the whole.
    code
        Stable reason, snake_case.
    detail
        One sentence for a person.
    """

    field: str
    code: str
    detail: str

    def without_places(self) -> "FieldError":
        """Return the same with a path of names alone."""
        field = ".".join(part for part in self.field.split(".") if not part.isdigit())
        return FieldError(field, self.code, self.detail.replace(self.field, field, 1))


class InvalidError(VestibuleError):
    """The input breaks a rule; carries one `FieldError` for each broken member."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("invalid_request", "; ".join(e.detail for e in errors))
        self.errors = errors

    def without_places(self) -> "InvalidError":
        """Return the same refusal without the numbers of places in a list, for a caller that sent no such list."""
        return InvalidError(*(error.without_places() for error in self.errors))
