"""A DynamoDB that knows its answers by heart: what a call costs the caller, and nothing else.

The invariant: it gives the recorded answer of the very call or none; a call that was not recorded is an error,
which the flow that is measured then shows.
"""

from __future__ import annotations

import contextlib
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

from bench.scene import identity

if TYPE_CHECKING:
    from collections.abc import Generator

    from bench.scene import Answers


class _Handler(BaseHTTPRequestHandler):
    answers: ClassVar[Answers]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together, when the handler is done

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = self.answers.get(identity(self.headers["X-Amz-Target"], body))
        known = answer or '{"__type": "com.amazonaws#ValidationException", "message": "was not recorded"}'
        self.send_response_only(HTTPStatus.OK if answer else HTTPStatus.BAD_REQUEST)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(known.encode())))
        self.end_headers()
        self.wfile.write(known.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def answering(answers: Answers) -> Generator[str]:
    """Answer on a free port of the loopback address for the time of a block; give the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("_Bound", (_Handler,), {"answers": answers}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="dynamodb-stub", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
