"""The master key in Secrets Manager: made by the deployment, read by those who derive or unseal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vestibule.errors import UnavailableError
from vestibule.store.aws import dependency

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_DEPENDENCY = "secretsmanager"
_SHORTEST = 32
"""Characters; the template asks for 64."""


class MasterKeyStore:
    """The secret that holds the master key."""

    def __init__(self, client: SecretsManagerClient, secret_id: str) -> None:
        self._client = client
        self._secret_id = secret_id

    def read(self) -> bytes:
        """Return the key.

        Raises
        ------
        UnavailableError
            The secret cannot be read, or holds no key.
        """
        with dependency(_DEPENDENCY):
            answer = self._client.get_secret_value(SecretId=self._secret_id)
        key = answer["SecretString"].encode()
        if len(key) < _SHORTEST:
            raise UnavailableError(_DEPENDENCY)
        return key
