"""What somebody typed into a form and could not send, because their sign-in was over by then.

It is sealed for that person and that form, and their browser keeps it: whoever else
signs in there, or looks into the browser, learns nothing of it.  Nothing of it is
stored here.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

from vestibule.clock import HOUR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vestibule.clock import Clock
    from vestibule.sealing import Sealing

KEPT_FOR = HOUR
LONGEST = 3_900
"""Characters of a sealed draft: browsers keep a cookie of 4,096, its name and attributes included."""

_SEAL = "draft"


class Drafts:
    """Seals and opens what was typed."""

    def __init__(self, sealing: Sealing, clock: Clock) -> None:
        self._sealing = sealing
        self._clock = clock

    def seal(self, account_id: str, user_id: str, place: str, fields: Mapping[str, str]) -> str | None:
        """Return what was typed for its person alone; None when it is too long to be kept.

        Parameters
        ----------
        place
            The form that it was typed into.

        Raises
        ------
        UnavailableError
            The key cannot be read.
        """
        typed = json.dumps({name: value for name, value in fields.items() if value}, ensure_ascii=False)
        content = {
            "user": user_id,
            "place": place,
            "until": self._clock() + KEPT_FOR,
            "typed": b64encode(zlib.compress(typed.encode("utf-8", "replace"))).decode(),
        }
        sealed = self._sealing.seal(_SEAL, account_id, json.dumps(content))
        return sealed if len(sealed) <= LONGEST else None

    def open(self, account_id: str, user_id: str, place: str, sealed: str) -> Mapping[str, str] | None:
        """Return what this person typed into this form, None for anybody else's, another form's, or a late one.

        Raises
        ------
        UnavailableError
            The key cannot be read.
        """
        content = self._sealing.unseal_given(_SEAL, account_id, sealed, most=LONGEST)
        if content is None or (content["user"], content["place"]) != (user_id, place):
            return None
        if content["until"] <= self._clock():
            return None
        typed: dict[str, str] = json.loads(zlib.decompress(b64decode(content["typed"])))
        return typed
