"""What holds for every unit test: no network, and no verdict by chance or by how busy the machine is.

`make unit ARGS="--hypothesis-profile explore"` draws other examples in every run, to look for what nobody thought of.
"""

from __future__ import annotations

import socket
from typing import Any

import hypothesis
import pytest

hypothesis.settings.register_profile(
    "explore", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], print_blob=True
)
hypothesis.settings.register_profile("unit", hypothesis.settings.get_profile("explore"), derandomize=True)
hypothesis.settings.load_profile("unit")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing connect to anywhere."""

    def refuse(_: socket.socket, address: Any) -> None:
        pytest.fail(f"a unit test connects to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
