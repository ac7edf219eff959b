"""Who carries letters: SES for mails, SNS for text messages.

A carrier either took the message, or will never take it (`RefusedError`), or is
to be asked again later (`UnavailableError`).
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from vestibule.errors import UnavailableError
from vestibule.store.aws import dependency

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sns import SNSClient

_SES_REFUSALS = ("MessageRejected", "BadRequestException", "MailFromDomainNotVerifiedException", "NotFoundException")
"""What SES says of a message that it will not take, however often it is asked."""
_SNS_REFUSALS = ("InvalidParameter", "InvalidParameterValue", "OptedOut")
"""The same of SNS; whoever has answered STOP has opted out."""


class RefusedError(Exception):
    """The carrier will never take the message.

    Attributes
    ----------
    reason
        Stable word, snake_case; the carrier's own text may hold an address.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class MailCarrier:
    """SES.

    Parameters
    ----------
    client
        SES v2 client.
    sender
        The address that mails come from; empty where no mail is sent.
    configuration_set
        What reports bounces; empty for none.
    """

    def __init__(self, client: SESV2Client, sender: str, configuration_set: str) -> None:
        self._client = client
        self._sender = sender
        self._configuration_set = configuration_set

    def send(self, message: bytes, recipient: str, tags: Mapping[str, str]) -> str:
        """Send a mail.

        Parameters
        ----------
        message
            RFC 5322.
        tags
            Ids that come back with reports about it.

        Returns
        -------
        str
            SES's id of the message.

        Raises
        ------
        RefusedError
            SES will never take it.
        UnavailableError
            SES failed, or sends no faster.
        """
        arguments = {"ConfigurationSetName": self._configuration_set} if self._configuration_set else {}
        with _asking("ses", _SES_REFUSALS):
            answer = self._client.send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [recipient]},
                Content={"Raw": {"Data": message}},
                EmailTags=[{"Name": name, "Value": value} for name, value in tags.items()],
                **arguments,  # type: ignore[arg-type]
            )
        return answer["MessageId"]


class TextCarrier:
    """SNS, for text messages.

    Parameters
    ----------
    client
        Returns the SNS client; asked with the first message, since most workers
        send mails alone.
    """

    def __init__(self, client: Callable[[], SNSClient]) -> None:
        self._client = client

    def send(self, text: str, phone: str) -> str:
        """Send a text message and return SNS's id of it.

        Parameters
        ----------
        phone
            E.164.

        Raises
        ------
        RefusedError
            SNS will never send it.
        UnavailableError
            SNS failed, or sends no faster.
        """
        attributes: dict[str, Any] = {"AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}}
        with _asking("sns", _SNS_REFUSALS):
            answer = self._client().publish(PhoneNumber=phone, Message=text, MessageAttributes=attributes)
        return answer["MessageId"]


@contextmanager
def _asking(name: str, refusals: tuple[str, ...]) -> Iterator[None]:
    """Turn a carrier's errors into ours, without its words: they may name the addressee, and ours are logged.

    Raises
    ------
    RefusedError, UnavailableError
        See the module; the latter tells the carrier's error code.
    """
    try:
        with dependency(name, *refusals):
            yield
    except ClientError:
        raise RefusedError("rejected") from None
    except UnavailableError as error:
        cause = error.__cause__
        code = cause.response["Error"]["Code"] if isinstance(cause, ClientError) else type(cause).__name__
        raise UnavailableError(f"{name}: {code}") from None
