"""Clients of AWS, made alike: short timeouts, bounded retries, kept connections.

botocore waits 60 seconds by default, so that one lost answer would outlast the
function's own timeout; with these numbers a call has failed for good within
about 9 seconds at the very worst, inside the functions' 10.

Those who send letters ask once and wait longer: a letter whose answer was lost has
perhaps been sent, and a second attempt would send it again.

They come from botocore itself: boto3 adds resources and file transfers to it,
which nothing here uses and every cold start would import.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import get_session

from vestibule.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore.session import Session
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

CONNECT_TIMEOUT = 1
"""Seconds."""
READ_TIMEOUT = 2
"""Seconds."""
ATTEMPTS = 3
SENDING_TIMEOUT = 5
"""Seconds that a carrier of letters may take to answer its one attempt; what failed comes again from the queue."""


def dynamodb_client(session: Session | None = None, **overrides: Any) -> DynamoDBClient:
    """Return a DynamoDB client.

    Parameters
    ----------
    session
        Shared by clients: what one has read of endpoints and credentials, the next finds there.
    overrides
        For tools that run outside Lambda.
    """
    client: DynamoDBClient = _client("dynamodb", session, overrides)
    return client


def secrets_manager_client(session: Session | None = None, **overrides: Any) -> SecretsManagerClient:
    """Return a Secrets Manager client; see `dynamodb_client`."""
    client: SecretsManagerClient = _client("secretsmanager", session, overrides)
    return client


def sqs_client(session: Session | None = None, **overrides: Any) -> SQSClient:
    """Return an SQS client; see `dynamodb_client`."""
    client: SQSClient = _client("sqs", session, overrides)
    return client


def ses_client(session: Session | None = None, **overrides: Any) -> SESV2Client:
    """Return an SES v2 client, which asks once; see `dynamodb_client`."""
    client: SESV2Client = _client("sesv2", session, overrides, read_timeout=SENDING_TIMEOUT, attempts=1)
    return client


def sns_client(session: Session | None = None, **overrides: Any) -> SNSClient:
    """Return an SNS client, which asks once; see `dynamodb_client`."""
    client: SNSClient = _client("sns", session, overrides, read_timeout=SENDING_TIMEOUT, attempts=1)
    return client


def _client(
    service: str,
    session: Session | None,
    overrides: Mapping[str, Any],
    *,
    read_timeout: int = READ_TIMEOUT,
    attempts: int = ATTEMPTS,
) -> Any:
    session = session or get_session()
    config = Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=read_timeout,
        retries={"mode": "standard", "total_max_attempts": attempts},
        tcp_keepalive=True,
        # AWS judges every request itself; to do it here first would double the work.
        parameter_validation=False,
        # Put together once: botocore would compose it anew for every call, a tenth of the call's CPU.
        user_agent=session.user_agent(),
    )
    return session.create_client(service, config=config, **overrides)


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
