"""Link in tests: tokens, sessions without a browser, and a frame as a browser would have it."""

from __future__ import annotations

import json
from typing import Any

from tests.control.plane import Planned
from tests.support.raw import Answer

PLAIN_BANK = "ins_109511"
OAUTH_BANK = "ins_127287"
MATCHING_BANK = "ins_109512"
DEPOSIT_BANK = "ins_135858"

USER = {"client_user_id": "somebody"}
RETURN = "http://localhost:3000/return"


def create(api: Planned, **fields: Any) -> Answer:
    """Ask for a link token for Auth; fields of None are left out."""
    asked: dict[str, Any] = {
        "client_name": "Shop",
        "language": "en",
        "country_codes": ["US"],
        "user": USER,
        "products": ["auth"],
        **fields,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    return api.post("/link/token/create", **given)


def link_token(api: Planned, **fields: Any) -> str:
    token: str = create(api, **fields)["link_token"]
    return token


def run(api: Planned, token: str, **plan: Any) -> dict[str, Any]:
    """Go through a session by one call, at a bank that has one way in unless another is named."""
    answer = api.sandbox("link/run", link_token=token, **{"institution_id": PLAIN_BANK, **plan})
    assert answer.status == 200, answer.raw
    return answer.body


def sessions(api: Planned, token: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.post("/link/token/get", link_token=token)["link_sessions"]
    return found


def told(events: list[dict[str, Any]]) -> list[str]:
    """Events as a page hears them, written as the documentation does: `TV(VIEW)` or the name."""
    return [_short(one["event_name"], one["metadata"]) for one in events]


def told_to_server(session: dict[str, Any]) -> list[str]:
    """The same of a session of `/link/token/get`, which has the newest first."""
    return [_short(one["event_name"], one["event_metadata"]) for one in reversed(session["events"])]


def _short(name: str, metadata: dict[str, Any]) -> str:
    if name == "TRANSITION_VIEW":
        details = [metadata["view_name"], metadata.get("mfa_type")]
        return f"TV({' '.join(one for one in details if one)})"
    if name == "OPEN":
        return f"OPEN({metadata['view_name']})" if metadata.get("view_name") else "OPEN"
    details = [metadata.get(key) for key in _TELLING.get(name, ())]
    return f"{name}({', '.join(one for one in details if one)})" if any(details) else name


_TELLING = {
    "ERROR": ("error_code",),
    "EXIT": ("exit_status", "error_code"),
    "SEARCH_INSTITUTION": ("institution_search_query",),
    "SELECT_AUTH_TYPE": ("selection",),
    "SELECT_INSTITUTION": ("match_reason",),
    "MATCHED_SELECT_INSTITUTION": ("match_reason",),
    "SUBMIT_MFA": ("mfa_type",),
}


class Frame(Planned):
    """What a browser knows: no credentials, and once it has begun the secret of a session."""

    def __init__(self, url: str, *, keep_alive: bool = True) -> None:
        super().__init__(url, "", "", keep_alive=keep_alive)
        self.key = ""
        self.turn: dict[str, Any] = {}

    def body(self, fields: dict[str, Any]) -> bytes:
        return json.dumps(fields).encode()

    def start(self, **fields: Any) -> Answer:
        answer = self.post("/_link/start", **fields)
        if answer.status == 200:
            self.key, self.turn = answer["session_key"], answer.body
        return answer

    def try_to(self, action: str, **inputs: Any) -> Answer:
        return self.post("/_link/act", session_key=self.key, action=action, inputs=inputs)

    def act(self, action: str, **inputs: Any) -> dict[str, Any]:
        answer = self.try_to(action, **inputs)
        assert answer.status == 200, answer.raw
        self.turn = answer.body
        return self.turn

    def poll(self) -> dict[str, Any]:
        answer = self.post("/_link/poll", session_key=self.key)
        assert answer.status == 200, answer.raw
        self.turn = answer.body
        return self.turn

    @property
    def view(self) -> str | None:
        pane = self.turn["pane"]
        return None if pane is None else str(pane["view"])

    def log_in(
        self, password: str = "pass_good", institution_id: str = PLAIN_BANK
    ) -> dict[str, Any]:
        """From the first pane to the answer to a login."""
        self.act("continue")
        self.act("select_institution", institution_id=institution_id)
        return self.submit(username="user_good", password=password)

    def submit(self, **values: str) -> dict[str, Any]:
        return self.act("submit", values=values)

    def select_all(self) -> dict[str, Any]:
        accounts = [one["key"] for one in self.turn["pane"]["accounts"]]
        return self.act("select_accounts", accounts=accounts)

    def open_bank(self) -> str:
        """From the first pane to the bank's own page; answers what names the visit there."""
        self.act("continue")
        self.act("select_institution", institution_id=OAUTH_BANK)
        url = self.act("open_oauth")["pane"]["url"]
        path, _, state_id = url.partition("?oauth_state_id=")
        assert path == f"/link/oauth/{OAUTH_BANK}"
        return str(state_id)
