"""The published signing keys: the public set that every verifier reads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from vestibule.store.directory import keys
from vestibule.store.items import pack
from vestibule.store.keyrings import from_document, to_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vestibule.model import SigningKey
    from vestibule.store.table import Table


class PublishedKeyStore:
    """The public key set in the directory table.

    It lies there rather than beside the private keys so that a verifier needs
    neither a second client nor any right on the secret.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def read(self) -> tuple[SigningKey, ...]:
        """Return the published keys, none before the first deployment finished."""
        values = self._table.get(keys.published_keys())
        return from_document(json.loads(values["document"])) if values else ()

    def publish(self, ring: Sequence[SigningKey]) -> None:
        """Replace the published set; private parts are left out."""
        document = json.dumps(to_document(ring, private=False))
        item = keys.published_keys() | pack({"document": document})
        self._table.write(self._table.put(item))
