"""A proxy between the functions and AWS: it notes every SDK call, and loses, delays, gathers or fails chosen ones.

The invariant: a call that no fault is set for reaches the emulator and comes back unchanged, its signature
included. A lost answer is lost after the emulator acted: what a broken connection looks like to the SDK.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar, Self

from tools.local.emulator import HOST

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

UPSTREAM_SECONDS = 60.0
# Authorization: AWS4-HMAC-SHA256 Credential=<access key>/<date>/<region>/<service>/aws4_request, ...
CREDENTIAL = re.compile(r"Credential=(?P<key>[^/]+)/[^/]+/[^/]+/(?P<service>[^/]+)/")
# Headers of one connection, not of the message (RFC 9110, 7.6.1), and what http.client writes itself.
HOP_BY_HOP = frozenset({"connection", "keep-alive", "proxy-connection", "transfer-encoding", "content-length"})


@dataclass(frozen=True)
class Call:
    """One SDK call that a function made.

    Attributes
    ----------
    service
        The signing name, such as `dynamodb`.
    action
        The operation, such as `UpdateItem`; for a service with REST paths, method and path.
    function
        Logical id of the function that made it, told by its credentials; None for another caller.
    body
        The request's body.
    """

    service: str
    action: str
    function: str | None
    body: bytes = field(repr=False)

    @property
    def payload(self) -> dict[str, Any]:
        """The body of a JSON protocol, as a dictionary."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


type Matcher = Callable[[Call], bool]

WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem", "PutSecretValue"})


def is_write(call: Call) -> bool:
    """Tell whether a call changes something, if it succeeds."""
    return call.action in WRITES


def calls_of(*, service: str | None = None, action: str | None = None, function: str | None = None) -> Matcher:
    """Make a predicate of calls; what is left out may be anything."""

    def matches(call: Call) -> bool:
        return service in {None, call.service} and action in {None, call.action} and function in {None, call.function}

    return matches


@dataclass
class Fault:
    """What happens to the next calls that match.

    Attributes
    ----------
    matches
        Which calls it is for.
    remaining
        How many more calls it takes.
    before
        What is waited for before the call is forwarded or answered.
    swallow
        The call is never forwarded, and the connection stays silent until the fault is over.
    cut_short
        The call is never forwarded; what comes back ends in the middle.
    drop_answer
        The call is forwarded, and the connection is closed instead of answering.
    after
        What is done when the emulator has acted, before anybody hears of it.
    answer
        Makes status and body of the answer that is given instead of forwarding.
    hits
        The calls that it took.
    gathered
        How many of them were held back at the same time.
    over
        Set when the fault has been taken away.
    """

    matches: Matcher
    remaining: int
    before: Callable[[], object] | None = None
    swallow: bool = False
    cut_short: bool = False
    drop_answer: bool = False
    after: Callable[[], object] | None = None
    answer: Callable[[Call], tuple[int, bytes]] | None = None
    hits: list[Call] = field(default_factory=list)
    gathered: int = 0
    over: threading.Event = field(default_factory=threading.Event, repr=False)


class AwsProxy:
    """The proxy; a context manager that listens on a free port of the loopback address.

    Parameters
    ----------
    upstream_port
        The emulator's port on the loopback address.
    """

    def __init__(self, upstream_port: int) -> None:
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        self._faults: list[Fault] = []
        self.functions_by_key: dict[str, str] = {}
        handler = type("_BoundHandler", (_Handler,), {"proxy": self, "upstream_port": upstream_port})
        self._server = ThreadingHTTPServer((HOST, 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="aws-proxy", daemon=True)

    def __enter__(self) -> Self:
        """Start to listen."""
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop to listen."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """The proxy's address, for AWS_ENDPOINT_URL."""
        return f"http://{HOST}:{self._server.server_address[1]}"

    @property
    def calls(self) -> list[Call]:
        """Every call so far, in the order of their arrival."""
        with self._lock:
            return list(self._calls)

    @contextlib.contextmanager
    def recording(self) -> Generator[list[Call]]:
        """Give a list that holds, after the block, the calls that arrived during it."""
        seen: list[Call] = []
        start = len(self.calls)
        try:
            yield seen
        finally:
            seen.extend(self.calls[start:])

    def drop_answer(self, matches: Matcher, times: int = 1) -> contextlib.AbstractContextManager[Fault]:
        """Let matching calls act, and lose their answers."""
        return self._fault(Fault(matches, times, drop_answer=True))

    def kill_after(self, matches: Matcher, kill: Callable[[], object]) -> contextlib.AbstractContextManager[Fault]:
        """Let the next matching call act, and end the process that made it before it hears of that."""
        return self._fault(Fault(matches, 1, drop_answer=True, after=kill))

    def delay(self, matches: Matcher, seconds: float, times: int = 1) -> contextlib.AbstractContextManager[Fault]:
        """Forward matching calls late."""
        return self._fault(Fault(matches, times, before=lambda: time.sleep(seconds)))

    def swallow(self, matches: Matcher, times: int = 1) -> contextlib.AbstractContextManager[Fault]:
        """Let matching calls vanish: they do not act, and nobody answers."""
        return self._fault(Fault(matches, times, swallow=True))

    def cut_short(self, matches: Matcher, times: int = 1) -> contextlib.AbstractContextManager[Fault]:
        """Let matching calls have half an answer: they do not act, and the connection breaks in the middle of it."""
        return self._fault(Fault(matches, times, cut_short=True))

    def gather(self, matches: Matcher, callers: int, *, patience: float) -> contextlib.AbstractContextManager[Fault]:
        """Hold the first matching calls back until so many have come, then let all go at once.

        A function's process waits for its call's answer, so that calls held at the same time come from as many
        processes.

        Parameters
        ----------
        patience
            Seconds; after them those that have come are let go. `Fault.gathered` tells how many those were.
        """
        barrier = threading.Barrier(callers)
        fault = Fault(matches, callers)

        def meet() -> None:
            fault.gathered = max(fault.gathered, barrier.n_waiting + 1)
            with contextlib.suppress(threading.BrokenBarrierError):
                barrier.wait(patience)

        fault.before = meet
        return self._fault(fault)

    def fail(
        self, matches: Matcher, code: str, *, status: int = 400, times: int = 1
    ) -> contextlib.AbstractContextManager[Fault]:
        """Answer matching calls of a JSON protocol with an AWS error code, without forwarding them."""
        body = json.dumps({"__type": f"com.amazonaws#{code}", "message": "set by the test"}).encode()
        return self.answer(matches, lambda _: (status, body), times=times)

    def answer(
        self, matches: Matcher, make: Callable[[Call], tuple[int, bytes]], *, times: int = 1
    ) -> contextlib.AbstractContextManager[Fault]:
        """Give matching calls of a JSON protocol an answer of the test's own, without forwarding them."""
        return self._fault(Fault(matches, times, answer=make))

    @contextlib.contextmanager
    def _fault(self, fault: Fault) -> Generator[Fault]:
        with self._lock:
            self._faults.append(fault)
        try:
            yield fault
        finally:
            fault.over.set()
            with self._lock:
                self._faults.remove(fault)

    def arrived(self, call: Call) -> Fault | None:
        """Note a call and give the fault that is to befall it."""
        with self._lock:
            self._calls.append(call)
            for fault in self._faults:
                if fault.remaining > 0 and fault.matches(call):
                    fault.remaining -= 1
                    fault.hits.append(call)
                    return fault
        return None


class _Handler(BaseHTTPRequestHandler):
    """One connection of an SDK client, and one to the emulator behind it."""

    proxy: ClassVar[AwsProxy]
    upstream_port: ClassVar[int]
    protocol_version = "HTTP/1.1"
    # An answer is a few small writes: without this each of them waits for an acknowledgement.
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self._upstream = http.client.HTTPConnection(HOST, self.upstream_port, timeout=UPSTREAM_SECONDS)

    def finish(self) -> None:
        self._upstream.close()
        super().finish()

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        call = self._call(body)
        fault = self.proxy.arrived(call)
        if fault is not None and fault.before is not None:
            fault.before()
        if fault is not None and fault.swallow:
            fault.over.wait()
            self.close_connection = True
            return
        if fault is not None and fault.cut_short:
            self.close_connection = True
            self.send_response_only(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'{"Item": {')
            return
        if fault is not None and fault.answer is not None:
            status, made = fault.answer(call)
            self._answer(status, [("Content-Type", "application/x-amz-json-1.0")], made)
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        # Host stays the one that was signed; Content-Length is http.client's, from the body.
        self._upstream.request(self.command, self.path, body=body or None, headers=headers)
        response = self._upstream.getresponse()
        answer = response.read()
        if fault is not None and fault.after is not None:
            fault.after()
        if fault is not None and fault.drop_answer:
            self.close_connection = True
            return
        self._answer(response.status, response.getheaders(), answer)

    def _call(self, body: bytes) -> Call:
        signed = CREDENTIAL.search(self.headers.get("Authorization", ""))
        key, service = (signed["key"], signed["service"]) if signed else ("", "")
        return Call(service, self._action(body), self.proxy.functions_by_key.get(key), body)

    def _action(self, body: bytes) -> str:
        target = self.headers.get("X-Amz-Target")  # the JSON protocols
        if target:
            return str(target).rpartition(".")[2]
        if self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):  # the query protocol
            named = urllib.parse.parse_qs(body.decode()).get("Action")
            if named:
                return named[0]
        return f"{self.command} {urllib.parse.urlsplit(self.path).path}"  # REST

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the client gave up meanwhile
            self.end_headers()
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _forward  # noqa: N815 - http.server's names

    def log_message(self, *_args: object) -> None:
        """Keep the test's output for the tests."""
