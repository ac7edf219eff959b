"""What a deployment tells a function, read from the environment when asked, never at import.

The template sets these variables for every function alike (``Globals``); a
function whose policy does not reach a table simply never asks for its name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self
from urllib.parse import urlsplit

SLUG = "{slug}"
"""Placeholder of an account's slug in `Settings.hub_origin`."""


@dataclass(frozen=True)
class Settings:
    """Names and addresses of one deployment.

    Attributes
    ----------
    api_origin
        ``https://api.<domain>``; issuer and audience of access tokens.
    hub_origin
        ``https://{slug}.hub.<domain>``; `SLUG` stands for the account's slug.
    directory_table, passes_table, journal_table
        DynamoDB table names.
    signing_keys_secret
        Secrets Manager id of the private signing keys; only signers get it.
    master_key_secret
        Secrets Manager id of the key that links are derived from.
    outbox_queue, dead_letter_queue
        SQS URLs; the workers' alone.
    mail_sender
        Address that mails come from; empty where none are sent.
    mail_configuration_set
        SES's, for reports of bounces; empty for none.
    """

    api_origin: str
    hub_origin: str
    directory_table: str
    passes_table: str
    journal_table: str
    signing_keys_secret: str
    master_key_secret: str
    outbox_queue: str = ""
    dead_letter_queue: str = ""
    mail_sender: str = ""
    mail_configuration_set: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings.

        Parameters
        ----------
        environment
            Usually `os.environ`.
        """
        return cls(
            api_origin=environment.get("API_ORIGIN", ""),
            hub_origin=environment.get("HUB_ORIGIN", ""),
            directory_table=environment.get("DIRECTORY_TABLE", ""),
            passes_table=environment.get("PASSES_TABLE", ""),
            journal_table=environment.get("JOURNAL_TABLE", ""),
            signing_keys_secret=environment.get("SIGNING_KEYS_SECRET", ""),
            master_key_secret=environment.get("MASTER_KEY_SECRET", ""),
            outbox_queue=environment.get("OUTBOX_QUEUE", ""),
            dead_letter_queue=environment.get("DEAD_LETTER_QUEUE", ""),
            mail_sender=environment.get("MAIL_SENDER", ""),
            mail_configuration_set=environment.get("MAIL_CONFIGURATION_SET", ""),
        )

    def hub_url(self, slug: str) -> str:
        """Return the origin of an account's hub, without a trailing slash."""
        return self.hub_origin.replace(SLUG, slug)

    def hub_host(self, slug: str) -> str:
        """Return the host name of an account's hub, without a port."""
        return urlsplit(self.hub_url(slug)).hostname or ""

    def slug_of_host(self, host: str) -> str | None:
        """Return the account slug that a Host header names, or None for the bare hub.

        The port is not compared: browsers and proxies differ about naming it.
        """
        found = self._host_pattern.fullmatch(host.lower())
        return found["slug"] if found else None

    @cached_property
    def _host_pattern(self) -> re.Pattern[str]:
        _, _, authority = self.hub_origin.partition("://")
        name, _, _ = authority.partition(":")
        before, _, after = name.partition(SLUG)
        return re.compile(rf"{re.escape(before)}(?P<slug>[a-z0-9-]+){re.escape(after)}(?::\d+)?")
