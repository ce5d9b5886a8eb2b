"""The state machine of Link. It is pure: it knows a state, an action and the institutions there
are, and what it decides, `session.py` carries out.
"""

from __future__ import annotations

from treadle.link import actions
from treadle.link.actions import UserAction, name_of
from treadle.link.flows.consent import open_link
from treadle.link.flows.ending import leave
from treadle.link.step import NotOffered, Step, handle

# A user who goes on for longer than this can only leave.
_MOST_EVENTS = 1_000

__all__ = ["act", "handle", "open_link"]


def act(step: Step, action: UserAction) -> None:
    """What a user does. Raises NotOffered, and then the step is void."""
    state = step.state
    if state.pane is None:
        raise NotOffered()
    if isinstance(action, actions.Exit):
        leave(step, action)
        return
    if name_of(action) not in state.pane.actions or len(state.log.events) >= _MOST_EVENTS:
        raise NotOffered()
    handle(step, action)
