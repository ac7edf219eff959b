"""The stack that tests run against: one a session, on free ports, IAM enforced, taken down at the end.

The invariant: nothing starts before a test asks for it, so `pytest tests/unit` starts nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from typing import TYPE_CHECKING, Any, TypedDict

import pytest

from tests.support import rights
from tests.support.proxy import AwsProxy
from tools import chromium as chromium_finder
from tools.local import Stack, emulator, paths
from tools.local.console import say
from tools.local.loopback import loopback_client

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    import httpx

FOLDER_PREFIX = "test-"

type Fresh = Callable[[str], None]
"""Ends a function's processes, by its logical id."""


class ChromiumLaunch(TypedDict):
    """Keyword arguments for Playwright's `chromium.launch`."""

    executable_path: str
    args: list[str]


@pytest.fixture(scope="session")
def _deployed(pytestconfig: pytest.Config) -> Generator[tuple[Stack, AwsProxy]]:
    """Start an emulator behind a proxy, and deploy the real template on it."""
    with contextlib.ExitStack() as undo:
        with _visible_progress(pytestconfig):
            say("")
            _clear_leftovers()
            port = emulator.free_port()
            proxy = undo.enter_context(AwsProxy(port))
            stack = Stack.start(f"{FOLDER_PREFIX}{os.getpid()}", port, aws_endpoint=proxy.url)
            undo.callback(stack.stop)
            stack.deploy()
            proxy.functions_by_key.update(_functions_by_access_key(stack.functions()))
        yield stack, proxy
        rights.note(pytestconfig, proxy.calls)


@pytest.fixture(scope="session")
def stack(_deployed: tuple[Stack, AwsProxy]) -> Stack:
    """The local stack of this test session: addresses, outputs, AWS clients."""
    return _deployed[0]


@pytest.fixture(scope="session")
def aws(_deployed: tuple[Stack, AwsProxy]) -> AwsProxy:
    """The proxy between the stack's functions and AWS: what they called, and faults."""
    return _deployed[1]


@pytest.fixture
def http(stack: Stack) -> Generator[httpx.Client]:
    """An HTTP client of the native API, and of every other host of the stack by its full address.

    It follows no redirect and keeps no cookie: what a browser would do by itself is for the test to do.
    """
    with loopback_client(base_url=stack.api_url) as client:
        yield client


@pytest.fixture
def fresh(stack: Stack) -> Fresh:
    """A function that ends a Lambda function's processes, so that the next request meets one without memories."""
    client = stack.client("lambda")

    def end_processes(logical_id: str) -> None:
        # As it is already: to say so ends them.
        client.update_function_configuration(FunctionName=stack.function_name(logical_id), Timeout=10)

    return end_processes


@pytest.fixture(scope="session")
def chromium() -> ChromiumLaunch:
    """How Playwright launches the machine's Chromium: `playwright.chromium.launch(**chromium)`."""
    return _launch(chromium_finder.find_shell())


@pytest.fixture(scope="session")
def whole_chromium() -> ChromiumLaunch:
    """The same, of a Chromium with all that surrounds the pages: the settings of cookies and windows."""
    return _launch(chromium_finder.find())


def _launch(path: str | None) -> ChromiumLaunch:
    if path is None:
        pytest.fail(chromium_finder.HOW_TO_GET_ONE)
    return {"executable_path": path, "args": chromium_finder.arguments()}


def _clear_leftovers() -> None:
    """End what killed test runs left behind, and remove the folders of ended ones."""
    for home in paths.LOCAL.glob(f"{FOLDER_PREFIX}*"):
        if not _is_alive(int(home.name.removeprefix(FOLDER_PREFIX))):
            emulator.stop(home)
            # Another lane may be at the same folder; what one cannot remove, the next run tries again.
            shutil.rmtree(home, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _functions_by_access_key(functions: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Tell which access key is which function's: the emulator derives it from the function's and its role's ARN."""
    return {
        "ASIA" + hashlib.sha256(f"{one['FunctionArn']}:{one['Role']}".encode()).hexdigest()[:16].upper(): logical_id
        for logical_id, one in functions.items()
    }


def _visible_progress(config: pytest.Config) -> contextlib.AbstractContextManager[None]:
    """Let what is printed through to the terminal: deploying takes longer than anybody waits for a sign."""
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is None:
        return contextlib.nullcontext()
    manager: contextlib.AbstractContextManager[None] = capture.global_and_fixture_disabled()
    return manager
