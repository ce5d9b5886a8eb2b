"""How a frame talks to Link: JSON by POST, without credentials, cookies or CORS.

| Path | Asks | Answers |
| --- | --- | --- |
| `/_link/start` | `StartRequest` | `Started` |
| `/_link/act` | `ActRequest` | `Turn` |
| `/_link/poll` | `PollRequest` | `Turn` |
| `/_link/oauth` | `BankPageRequest` | `BankPage` |
| `/_link/oauth/approve` | `ApproveRequest` | `BankPageLeft` |
| `/_link/oauth/deny` | `DenyRequest` | `BankPageLeft` |

`start` opens a session with a link token and answers its `session_key`, which every further call
names; the frame keeps it in memory alone. Each answer is the whole of what is to be shown now: a
pane, or `finished` once there is nothing more to do. `poll` answers it again and changes nothing:
for a pop-up at a bank, and after an answer that was lost.

With `html` an answer has the pane once more, rendered for a browser.

`events` are those that the page may be told now, in order, each as the `onEvent` callback takes it.
An answer repeats those of the answers before, so the frame passes each `event_id` on once. With
`finished` come all that were held back; they are passed on before its callback. With `live_events`
none are held back.

An action with inputs that the pane cannot take answers INVALID_FIELD, and one that it does not
offer LINK_ACTION_NOT_OFFERED: the session has moved on, and `poll` tells where it is. Neither
changes anything. To act on a session that is finished answers again how it ended. A link token that
cannot open Link answers INVALID_LINK_TOKEN, and that error is what `onExit` is called with.

A token with a plan, as tests set one, is through with everything by itself: `start` answers
`finished`. So does, in the sandbox, `auto`: `success`, `exit`, `oauth` or `error:` and its code.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from treadle.link.panes import Pane, ShownAccount, ShownInstitution
from treadle.wire.base import Request, Response

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Url = Annotated[str, msgspec.Meta(max_length=2_048)]


class ShowRequest(Request, kw_only=True):
    """What a page wants to have shown."""

    html: bool = False
    live_events: bool = False


class StartRequest(ShowRequest, kw_only=True):
    """A link token, or on the return from a bank the URL that was returned to."""

    link_token: _Text | None = None
    # The last part of the address of a page of Link's own, instead of a link token.
    hosted_id: _Text | None = None
    received_redirect_uri: _Url | None = None
    # Whether the user's browser can open no window, so that a bank's page takes this one's place.
    redirects: bool = False
    # Whether Link begins with a list of institutions that is part of the app's page.
    embedded: bool = False
    auto: _Text | None = None


class ActRequest(ShowRequest, kw_only=True):
    session_key: _Text
    # The name and the inputs of an action in `actions.py`.
    action: _Text
    inputs: dict[str, Any] = msgspec.field(default_factory=dict)


class PollRequest(ShowRequest, kw_only=True):
    session_key: _Text


class About(msgspec.Struct, kw_only=True):
    """What holds for the whole of a session."""

    client_name: str
    language: str
    # `LIGHT`, `DARK`, `SYSTEM`, or null when the app has not said.
    appearance_mode: str | None
    environment: str
    # Whether the page is Link's own, which goes to `completion_redirect_uri` at the end.
    hosted: bool
    update_mode: bool


class PageEvent(msgspec.Struct, kw_only=True):
    event_id: str
    # The arguments of `onEvent`.
    event_name: str
    metadata: dict[str, str | None]


class Finished(msgspec.Struct, kw_only=True):
    """How a session ended, as the page's callback takes it."""

    # `success` calls `onSuccess(public_token, metadata)`, `exit` calls `onExit(error, metadata)`.
    callback: str
    public_token: str | None
    error: dict[str, Any] | None
    metadata: dict[str, Any]
    # Where a hosted page goes.
    completion_redirect_uri: str | None


class Turn(Response, kw_only=True):
    link_session_id: str
    # Null once the session is finished.
    pane: Pane | None
    # Of the pane, when it was asked for.
    html: str | None
    events: list[PageEvent]
    finished: Finished | None
    request_id: str


class Started(Turn, kw_only=True):
    session_key: str
    about: About


class BankPageRequest(Request, kw_only=True):
    oauth_state_id: _Text
    html: bool = False


class BankPage(Response, kw_only=True):
    """What a bank's own page shows. It takes any username and password, also none."""

    institution: ShownInstitution
    client_name: str
    language: str
    accounts: list[ShownAccount]
    # All of it, when it was asked for.
    html: str | None
    request_id: str


class ApproveRequest(Request, kw_only=True):
    oauth_state_id: _Text
    # The keys of accounts; all when it is left out.
    accounts: Annotated[list[str], msgspec.Meta(max_length=500)] | None = None


class DenyRequest(Request, kw_only=True):
    oauth_state_id: _Text


class BankPageLeft(Response, kw_only=True):
    # Where to go on; null when the window is to be closed.
    redirect_uri: str | None
    request_id: str
