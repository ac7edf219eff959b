"""Clients of AWS, made alike: short timeouts, bounded retries, kept connections.

botocore waits 60 seconds by default, so that one lost answer would outlast the
function's own timeout; with these numbers a call has failed for good within
about 9 seconds at the very worst, inside the functions' 10.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from vestibule.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

CONNECT_TIMEOUT = 1
"""Seconds."""
READ_TIMEOUT = 2
"""Seconds."""
ATTEMPTS = 3

_CONFIG = Config(
    connect_timeout=CONNECT_TIMEOUT,
    read_timeout=READ_TIMEOUT,
    retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
    tcp_keepalive=True,
)


def dynamodb_client(**overrides: Any) -> DynamoDBClient:
    """Return a DynamoDB client; ``overrides`` are for tools that run outside Lambda."""
    return boto3.client("dynamodb", config=_CONFIG, **overrides)


def secrets_manager_client(**overrides: Any) -> SecretsManagerClient:
    """Return a Secrets Manager client; see `dynamodb_client`."""
    return boto3.client("secretsmanager", config=_CONFIG, **overrides)


@contextmanager
def dependency(name: str, *expected: str) -> Iterator[None]:
    """Turn whatever a call of AWS raises into `UnavailableError`.

    Parameters
    ----------
    name
        The dependency, for the log.
    expected
        Error codes that the caller decides about itself; these pass unchanged.

    Raises
    ------
    UnavailableError
        For every other error code, time-out or broken connection.
    """
    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in expected:
            raise
        raise UnavailableError(name) from error
    except BotoCoreError as error:
        raise UnavailableError(name) from error
