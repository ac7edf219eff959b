"""Scripts and the icon: small files whose address names their content.

``/static/{name}.{hash}.{extension}``: a changed file has another address, so a
browser may keep what it has for a year.  A known file under an old or a future
hash (two releases answer side by side while one is rolled out) is answered with
today's content and is not kept: a page never lacks its script, and no cache ever
holds content under a hash that is not its own.  Everything else is not there.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

_FOLDER = Path(__file__).with_name("assets")
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}
IMMUTABLE = "public, max-age=31536000, immutable"
NOT_KEPT = "no-cache"


class Asset(NamedTuple):
    """A file as it is answered."""

    body: bytes
    content_type: str
    cache_control: str


class _Stored(NamedTuple):
    hash: str
    body: bytes


@cache
def _stored() -> Mapping[str, _Stored]:
    # The folder's own listing is the list of what may be asked for: no path is ever
    # built from a request.
    files = {}
    for path in sorted(_FOLDER.iterdir()):
        if path.suffix in _TYPES:
            body = path.read_bytes()
            files[path.name] = _Stored(urlsafe_b64encode(sha256(body).digest()[:9]).decode("ascii"), body)
    return files


def asset_url(name: str) -> str:
    """Return the address of an asset, such as ``/static/watch.3f9c….js``.

    Parameters
    ----------
    name
        File name in the ``assets`` folder.

    Raises
    ------
    KeyError
        When there is no such file.
    """
    stem, _, extension = name.rpartition(".")
    return f"/static/{stem}.{_stored()[name].hash}.{extension}"


def find(file_name: str) -> Asset | None:
    """Return the asset that a request names.

    Parameters
    ----------
    file_name
        Last segment of the path: ``{name}.{hash}.{extension}``.

    Returns
    -------
    Asset | None
        None when no asset has that name.
    """
    stem, _, extension = file_name.rpartition(".")
    name, _, asked = stem.rpartition(".")
    stored = _stored().get(f"{name}.{extension}")
    if stored is None:
        return None
    cache_control = IMMUTABLE if asked == stored.hash else NOT_KEPT
    return Asset(stored.body, _TYPES[f".{extension}"], cache_control)


def respond(file_name: str) -> dict[str, Any]:
    """Return the answer to ``GET /static/{file_name}``, as API Gateway's proxy wants it.

    Parameters
    ----------
    file_name
        Last segment of the path.
    """
    asset = find(file_name)
    if asset is None:
        asset, status = Asset(b"", "text/plain; charset=utf-8", "no-store"), 404
    else:
        status = 200
    return {
        "statusCode": status,
        "headers": {
            "Content-Type": asset.content_type,
            "Cache-Control": asset.cache_control,
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
            # An SVG that is opened by itself is a document: it runs nothing.
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        },
        "multiValueHeaders": {},
        "body": asset.body.decode("utf-8"),
        "isBase64Encoded": False,
    }
