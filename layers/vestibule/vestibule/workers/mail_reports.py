"""SES's reports about mails, as its configuration set publishes them through SNS.

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
They hold addresses and headers: nothing of them is logged but our own ids.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from vestibule.domain.mail_reports import MailReport
from vestibule.http import logs
from vestibule.model import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from vestibule.wiring import House

_STATES = {
    "Delivery": DeliveryState.DELIVERED,
    "Bounce": DeliveryState.BOUNCED,
    "Complaint": DeliveryState.COMPLAINED,
    "Reject": DeliveryState.FAILED,
}
_IDS = ("account_id", "session_id", "participant_id")


def mail_reports(house: House) -> Callable[[dict[str, Any], LambdaContext], None]:
    """Return the handler of SNS's notifications."""

    def handle(raw: dict[str, Any], context: LambdaContext) -> None:
        logs.begin_work(context)
        for record in raw["Records"]:
            report = _report(json.loads(record["Sns"]["Message"]))
            if report is None:
                continue
            logs.about(**{name: getattr(report, name) for name in _IDS})
            logs.log.info("mail reported", state=report.state, is_written=house.mail_reports.take(report))

    return handle


def _report(said: Mapping[str, Any]) -> MailReport | None:
    """Return what a notification reports, None for what is of no interest."""
    kind = said.get("eventType", "")
    mail = said.get("mail", {})
    tags = {name: (mail.get("tags", {}).get(name) or [None])[0] for name in _IDS}
    state = _STATES.get(kind)
    if state is None or None in tags.values():
        return None
    reason = None
    if state is DeliveryState.BOUNCED:
        if said["bounce"].get("bounceType") == "Transient":
            return None  # a full mailbox, a slow server: SES tries on or says so later
        reason = str(said["bounce"].get("bounceSubType", "")).lower() or None
    if state is DeliveryState.FAILED:
        reason = "rejected"
    return MailReport(message_id=mail["messageId"], state=state, reason=reason, **tags)
