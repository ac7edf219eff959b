"""One emulator process: started in a session of its own, found again by its PID file, ended as a group.

The invariant: nothing but a process group that this module started is ever signalled. A PID file alone
proves nothing (the number may have been given to another program), so the process's command line must
name our launcher and the stack's folder too.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

from tools.local import paths
from tools.local.console import LocalError, say

HOST = "127.0.0.1"
LAUNCHER = Path(__file__).with_name("emulator_main.py")
START_SECONDS = 60.0
STOP_SECONDS = 10.0
PROGRESS_SECONDS = 3.0
POLL_SECONDS = 0.1
LOG_TAIL_LINES = 20

# The emulators that this process started: kept to collect them when they end, and because they are meant to
# outlive it, which a Popen that is thrown away takes for a mistake.
_children: dict[int, subprocess.Popen[bytes]] = {}


class Running(NamedTuple):
    """A process that was checked to be this stack's emulator."""

    pid: int
    port: int


@dataclass(frozen=True)
class Emulator:
    """The emulator of one local stack.

    Attributes
    ----------
    home
        Directory below `.local` that holds its PID file, log and temporary files.
    port
        The one port that it listens on, on the loopback address.
    """

    home: Path
    port: int

    @property
    def url(self) -> str:
        """The endpoint of every AWS API."""
        return f"http://{HOST}:{self.port}"

    @property
    def log(self) -> Path:
        """The emulator's own log; what the functions log is in CloudWatch Logs."""
        return self.home / "emulator.log"

    @property
    def temporary(self) -> Path:
        """A folder that is emptied when a new emulator starts: what is noted there is true of this one."""
        return self.home / "tmp"

    def start(self, *, functions_endpoint: str | None = None) -> bool:
        """Make sure that a healthy emulator of this stack listens on the port.

        Parameters
        ----------
        functions_endpoint
            Where the functions' SDK traffic goes instead of straight to the emulator: a proxy's address.

        Returns
        -------
        bool
            True when a new emulator was started, False when the one that ran is kept.

        Raises
        ------
        LocalError
            The port belongs to another program, or the emulator does not come up.
        """
        running = find_running(self.home)
        if running is not None and running.port != self.port:
            raise LocalError(
                f"this stack runs on port {running.port}: go on with it (make run PORT={running.port}) "
                "or end it first (make stop)"
            )
        if running is not None and self._is_ready():
            say(f"emulator: already running on {self.url}")
            return False
        if running is not None:
            say("emulator: its process is there but does not answer; replacing it (what it held is lost)")
        stop(self.home)
        if _is_taken(self.port):
            raise LocalError(
                f"port {self.port} on {HOST} is taken by another program: end that one, "
                f"or choose another port, such as: make run PORT={self.port + 1}"
            )
        self._spawn(functions_endpoint)
        return True

    def _spawn(self, functions_endpoint: str | None) -> None:
        """Start the process, note its id, wait until it answers."""
        say(f"emulator: starting on {self.url}")
        shutil.rmtree(self.temporary, ignore_errors=True)
        self.temporary.mkdir(parents=True)
        sam_packages = next((paths.ENVIRONMENTS / "sam" / "lib").glob("python*/site-packages"))
        environment = paths.base_environment() | {
            "AUTH": "true",  # the functions' IAM policies are enforced
            "AWS_DEFAULT_REGION": "us-east-1",
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(self.port),
            "IOT_MTLS_ENABLED": "false",  # it would open a port of its own
            # As in Lambda, where /var/task and /opt are read-only: what ships no bytecode stays without.
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(self.temporary),
        }
        if functions_endpoint is not None:
            environment["AWS_ENDPOINT_URL"] = functions_endpoint
        with self.log.open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - our own command line, no shell
                # -P: the launcher's folder must not become an import path.
                [paths.EMULATOR_PYTHON, "-P", LAUNCHER, sam_packages, self.home],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        _children[process.pid] = process
        _pid_file(self.home).write_text(json.dumps({"pid": process.pid, "port": self.port}))
        try:
            self._wait_until_ready(process)
        except BaseException:
            stop(self.home)
            raise

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        started = told = time.monotonic()
        while not self._is_ready():
            now = time.monotonic()
            if process.poll() is not None or now - started > START_SECONDS:
                tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])
                raise LocalError(f"the emulator did not come up; the end of {self.log}:\n{tail}")
            if now - told > PROGRESS_SECONDS:
                say(f"emulator: not ready yet, {now - started:.0f} s")
                told = now
            time.sleep(POLL_SECONDS)
        say(f"emulator: ready after {time.monotonic() - started:.1f} s")

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_ministack/ready", timeout=2) as answer:  # noqa: S310 - http
                return bool(answer.status == HTTPStatus.OK)
        except (urllib.error.URLError, OSError):
            return False


def find_running(home: Path) -> Running | None:
    """Give the emulator process of the stack in this folder, or None when there is none."""
    try:
        noted = json.loads(_pid_file(home).read_text())
        running = Running(int(noted["pid"]), int(noted["port"]))
    except (FileNotFoundError, ValueError, KeyError):
        return None
    command_line = _command_line(running.pid)
    return running if str(LAUNCHER) in command_line and str(home) in command_line else None


def stop(home: Path) -> bool:
    """End the emulator of the stack in this folder, and its workers; tell whether there was one."""
    running = find_running(home)
    if running is not None:
        _end_group(running.pid)
    _pid_file(home).unlink(missing_ok=True)
    return running is not None


def free_port() -> int:
    """Give a port of the loopback address that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _pid_file(home: Path) -> Path:
    return home / "emulator.json"


def _command_line(pid: int) -> list[str]:
    """Give a process's arguments; empty when it is gone. `ps` where there is no /proc."""
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            return []
    listed = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607
    return listed.stdout.split()


def _end_group(group: int) -> None:
    """Ask the process group to end, and make it end when it does not."""
    for request in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + STOP_SECONDS
        try:
            os.killpg(group, request)
            while time.monotonic() < deadline:
                if group in _children:
                    _children[group].poll()  # as a zombie it would keep the group alive
                os.killpg(group, 0)
                time.sleep(POLL_SECONDS)
        except ProcessLookupError:
            return
    raise LocalError(f"process group {group} does not end, not even by SIGKILL")


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
