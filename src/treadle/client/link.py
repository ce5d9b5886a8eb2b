"""Link without a browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict, Unpack

from treadle.client.connection import Group
from treadle.control.answers import LinkPlannedResponse, LinkRunResponse, LinkStateResponse

# In a test that fails, pytest shows the line that called and none of these.
__tracebackhide__ = True


class Entry(TypedDict, total=False):
    """How the user links one Item; what is left out is as the documentation says it works."""

    institution_id: str
    username: str
    password: str
    # Round by round.
    mfa: Sequence[Sequence[str]]
    account_masks: Sequence[str]


class Plan(Entry, total=False):
    """What the user does with Link."""

    outcome: Literal["success", "exit", "error"]
    exit_at: str
    error_code: str
    routing_number: str
    account_number: str
    account_type: Literal["checking", "savings"]
    deposit_code: str
    phone_number: str
    otp: str
    further_items: Sequence[Entry]


class Link(Group):
    def run(self, link_token: str, **plan: Unpack[Plan]) -> LinkRunResponse:
        """Go through a whole session of Link."""
        return self._connection.order(
            "/treadle/sandbox/link/run", LinkRunResponse, link_token=link_token, **plan
        )

    def plan(self, link_token: str, **plan: Unpack[Plan]) -> None:
        """Have the sessions of a link token in a browser go through Link by themselves."""
        self._connection.order(
            "/treadle/sandbox/link/plan", LinkPlannedResponse, link_token=link_token, **plan
        )

    def clear_plan(self, link_token: str) -> None:
        """Leave the sessions of a link token to the user again."""
        self._connection.order(
            "/treadle/sandbox/link/plan/clear", LinkPlannedResponse, link_token=link_token
        )

    def start(self, link_token: str) -> LinkStateResponse:
        """Open Link, to go on step by step."""
        return self._connection.order(
            "/treadle/sandbox/link/start", LinkStateResponse, link_token=link_token
        )

    def act(
        self, link_session_id: str, action: str, inputs: Mapping[str, Any] | None = None
    ) -> LinkStateResponse:
        """Do one thing in a session, as its user."""
        return self._connection.order(
            "/treadle/sandbox/link/act",
            LinkStateResponse,
            link_session_id=link_session_id,
            action=action,
            inputs=inputs or {},
        )

    def state(self, link_session_id: str) -> LinkStateResponse:
        """Where a session stands, also one that is open in a browser."""
        return self._connection.order(
            "/treadle/sandbox/link/state", LinkStateResponse, link_session_id=link_session_id
        )
