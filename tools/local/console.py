"""Progress a person can follow: no step of the local stack is silent for longer than a few seconds."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

HEARTBEAT_SECONDS = 4.0
LOG_TAIL_LINES = 40


class LocalError(Exception):
    """Something that the person at the keyboard has to know; the message says what to do."""


def say(text: str) -> None:
    """Print one line of progress at once, also into a pipe."""
    print(text, flush=True)


def run_logged(label: str, command: Sequence[str | Path], *, log: Path, env: Mapping[str, str], cwd: Path) -> None:
    """Run a long command with its output in a file, a line of progress now and then, and its tail on failure.

    Parameters
    ----------
    label
        What the command does, as the person should read it.
    command
        The program and its arguments.
    log
        File that the command's output is appended to.
    env
        The command's whole environment.
    cwd
        The directory to run it in.

    Raises
    ------
    LocalError
        The command ended with another status than 0.
    """
    started = time.monotonic()
    say(f"{label} ...")
    with log.open("ab") as sink:
        offset = sink.tell()
        process = subprocess.Popen(  # noqa: S603 - our own command line, no shell
            [str(part) for part in command], stdout=sink, stderr=subprocess.STDOUT, env=dict(env), cwd=cwd
        )
        try:
            _wait_with_heartbeat(process, label, started)
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if process.returncode != 0:
        tail = _text_from(log, offset).splitlines()[-LOG_TAIL_LINES:]
        print("\n".join(f"  | {line}" for line in tail), file=sys.stderr, flush=True)
        raise LocalError(f"{label}: failed with status {process.returncode}; the whole output is in {log}")
    say(f"{label}: {time.monotonic() - started:.1f} s")


def _wait_with_heartbeat(process: subprocess.Popen[bytes], label: str, started: float) -> None:
    while True:
        try:
            process.wait(timeout=HEARTBEAT_SECONDS)
        except subprocess.TimeoutExpired:
            say(f"{label}: {time.monotonic() - started:.0f} s so far")
        else:
            return


def _text_from(path: Path, offset: int) -> str:
    with path.open("rb") as source:
        source.seek(offset)
        return source.read().decode(errors="replace")
