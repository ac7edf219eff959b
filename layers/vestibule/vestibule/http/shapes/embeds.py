"""Embed tokens and application secrets on the wire."""

from typing import Any

from vestibule.clock import to_rfc3339
from vestibule.domain.app_secrets import NewSecret
from vestibule.domain.embeds import Embed
from vestibule.http.api import Body
from vestibule.model import AppSecret


class EmbedCreate(Body):
    """Body of ``POST /v1/sessions/{id}/embeds``."""

    user_id: str
    user_name: str | None = None
    user_email: str | None = None
    user_avatar: str | None = None
    session_only: bool = True


class AppSecretCreate(Body):
    """Body of ``POST /v1/account/app-secrets``."""

    name: str


def embed_out(embed: Embed) -> dict[str, Any]:
    """Return a new embed token as the API shows it."""
    return {"url": embed.url, "token": embed.token, "expires_at": to_rfc3339(embed.expires_at)}


def app_secret_out(record: AppSecret) -> dict[str, Any]:
    """Return what an application secret is, without the secret."""
    return {
        "id": record.secret_id,
        "name": record.name,
        "keys": [
            {
                "kid": record.kid(key),
                "created_at": to_rfc3339(key.created_at),
                "expires_at": None if key.expires_at is None else to_rfc3339(key.expires_at),
            }
            for key in record.keys
        ],
        "created_at": to_rfc3339(record.created_at),
    }


def new_secret_out(made: NewSecret) -> dict[str, Any]:
    """Return an application secret with its newest key in clear, for this once."""
    return {**app_secret_out(made.record), "kid": made.kid, "app_secret": made.secret}
