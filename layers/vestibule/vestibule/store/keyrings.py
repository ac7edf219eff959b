"""The private signing keys in Secrets Manager, one JSON document for all.

Only signers and the rotation may read it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vestibule.model import SigningKey
from vestibule.store.aws import dependency

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_secretsmanager import SecretsManagerClient

_DEPENDENCY = "secretsmanager"


class KeyringStore:
    """The signing secret.

    Parameters
    ----------
    client
        Secrets Manager client.
    secret_id
        Name or ARN of the secret.
    """

    def __init__(self, client: SecretsManagerClient, secret_id: str) -> None:
        self._client = client
        self._secret_id = secret_id

    def read(self) -> tuple[SigningKey, ...]:
        """Return the keys, none when the secret was just created."""
        with dependency(_DEPENDENCY):
            answer = self._client.get_secret_value(SecretId=self._secret_id)
        return from_document(json.loads(answer["SecretString"]))

    def write(self, ring: Sequence[SigningKey]) -> None:
        """Replace the keys."""
        document = json.dumps(to_document(ring, private=True))
        with dependency(_DEPENDENCY):
            self._client.put_secret_value(SecretId=self._secret_id, SecretString=document)


def to_document(ring: Sequence[SigningKey], *, private: bool) -> dict[str, Any]:
    """Return keys as a JSON document, with or without their private parts."""
    return {
        "keys": [
            {
                "kid": key.kid,
                "published_at": key.published_at,
                "signs_from": key.signs_from,
                "public_key": dict(key.public_key),
                **({"private_key": key.private_key} if private else {}),
            }
            for key in ring
        ]
    }


def from_document(document: Mapping[str, Any]) -> tuple[SigningKey, ...]:
    """Return the keys of a JSON document; an empty one has none."""
    return tuple(SigningKey(**key) for key in document.get("keys", ()))
