"""The flows that the budget and the price list speak of: which event goes to which function, and what it may call.

Budgets are the design's (section 4), for a function that remembers the account's settings, as a warm one does.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.template import resources

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Flow:
    """One request, and what it costs at most.

    Attributes
    ----------
    function
        Name of its folder in ``functions/``.
    event
        Name of its file in ``events/``.
    budget
        SDK calls it may make, by operation.
    cpu_bound
        Its handler's CPU at most, as a multiple of the bare calls'; None where it makes none.
    is_request
        Whether the gateway bills it; an authorizer's turn is part of another request.
    with_bearer
        Whether a fresh access token takes the place of the event's own credentials.
    """

    name: str
    function: str
    event: str
    budget: Mapping[str, int] = field(default_factory=dict)
    cpu_bound: float | None = 1.5
    is_request: bool = True
    with_bearer: bool = False

    @property
    def logical_id(self) -> str:
        """The function's id in the template."""
        declared = resources("AWS::Serverless::Function").items()
        return next(name for name, one in declared if one["Properties"]["CodeUri"] == f"functions/{self.function}")

    def is_within_budget(self, operations: Mapping[str, int]) -> bool:
        """Tell whether the calls that were made are no more than the budget's."""
        return not Counter(operations) - Counter(self.budget)


FLOWS = (
    Flow("issue", "login_uri_issue", "login_uri_issue-ok", {"GetItem": 1, "PutItem": 1}),
    Flow("redeem", "redeem", "redeem-ok", {"UpdateItem": 1}),
    Flow("hub page", "dashboard", "dashboard-ok", {"BatchGetItem": 3, "Query": 2}),
    Flow("authorize Basic", "authorizer", "authorizer-basic", {"GetItem": 1}, is_request=False),
    Flow("authorize Bearer", "authorizer", "authorizer-basic", cpu_bound=None, is_request=False, with_bearer=True),
)

ONE_LOGIN = ("issue", "redeem", "hub page")
"""What one person's way in consists of, while the gateway remembers the portal's credentials."""
