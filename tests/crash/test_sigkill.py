"""A server that is killed in the middle of its work loses nothing that it acknowledged, and
leaves nothing half done."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.promises.database import audit, query, verify_chains
from tests.support.effort import tries
from tests.support.raw import Answer, Api
from tests.support.server import Server

KILLS = tries(8, thorough=50)
WRITERS = 4
# How long the writers are at it before a kill: from hardly begun to well under way.
WORK_SECONDS = (0.1, 0.2, 0.3, 0.4, 0.5)
# How far each story of a writer's goes, in turn: to the end more often than not.
LENGTHS = (5, 3, 4, 5, 1, 5, 0, 2)


@dataclass
class Story:
    """One Item: what was asked, what was acknowledged, and the tokens that came of it."""

    asked: list[str] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.account_id = ""

    def done(self, step: str) -> bool:
        return step in self.acknowledged

    def pending(self, step: str) -> bool:
        """Asked and never answered: both outcomes are right, halves are not."""
        return step in self.asked and step not in self.acknowledged

    def after(self, step: str, before: str, after: str) -> set[str]:
        """The error codes to expect where a step makes the difference."""
        if self.pending(step):
            return {before, after}
        return {after if self.done(step) else before}


class Writer(threading.Thread):
    """Tells one story after the other until the server is gone."""

    def __init__(self, server: Server, number: int) -> None:
        super().__init__()
        self.api = Api(server.url)
        self.number = number
        self.stories: list[Story] = []
        self.failures: list[str] = []

    def run(self) -> None:
        try:
            while True:
                self.stories.append(Story())
                self.tell(
                    self.stories[-1],
                    until=LENGTHS[(len(self.stories) + self.number) % len(LENGTHS)],
                )
        except (OSError, http.client.HTTPException):
            self.api.close()
        except AssertionError as failure:
            self.failures.append(str(failure))

    def tell(self, story: Story, until: int) -> None:
        """Go some steps of the way from a public token to a removed Item."""

        def step(name: str, call: Callable[[], Answer]) -> Answer:
            story.asked.append(name)
            answer = call()
            assert answer.status == 200, answer.raw
            story.acknowledged.append(name)
            return answer

        api, tokens = self.api, story.tokens
        institution = {"institution_id": "ins_109508", "initial_products": ["auth", "identity"]}
        answer = step("create", lambda: api.post("/sandbox/public_token/create", **institution))
        tokens["public"] = answer["public_token"]
        if until == 0:
            return
        tokens["access"] = step("exchange", lambda: api.exchange(tokens["public"]))["access_token"]
        access = {"access_token": tokens["access"]}
        accounts = api.post("/accounts/get", **access)["accounts"]
        [story.account_id] = [one["account_id"] for one in accounts if one["mask"] == "0000"]
        if until == 1:
            return
        mint = {**access, "account_id": story.account_id, "processor": "dwolla"}
        answer = step("mint", lambda: api.post("/processor/token/create", **mint))
        tokens["processor"] = answer["processor_token"]
        if until == 2:
            return
        step("permit", lambda: api.permit(tokens["processor"], "identity"))
        if until == 3:
            return
        answer = step("rotate", lambda: api.post("/item/access_token/invalidate", **access))
        tokens["renewed"] = answer["new_access_token"]
        if until == 4:
            return
        step("remove", lambda: api.post("/item/remove", access_token=tokens["renewed"]))


def check(api: Api, story: Story, accounts: int) -> None:
    """Compare a story with what the server says after its restart."""
    if not story.done("create"):
        return
    tokens = story.tokens
    if story.done("exchange"):
        assert api.exchange(tokens["public"]).code == "INVALID_PUBLIC_TOKEN"
    else:
        answer = api.exchange(tokens["public"])
        assert answer.code in story.after("exchange", "OK", "INVALID_PUBLIC_TOKEN")
        if answer.code != "OK":
            return
        tokens["access"] = answer["access_token"]
    gone = story.after("remove", "OK", "ITEM_NOT_FOUND")
    # The newest access token that the caller was told.
    if "renewed" in tokens:
        assert api.post("/item/get", access_token=tokens["access"]).code == "INVALID_ACCESS_TOKEN"
        alive = api.post("/accounts/get", access_token=tokens["renewed"])
        assert alive.code in gone
    else:
        alive = api.post("/accounts/get", access_token=tokens["access"])
        assert alive.code in story.after("rotate", "OK", "INVALID_ACCESS_TOKEN")
    if alive.code == "OK":
        assert len(alive["accounts"]) == accounts
    if story.done("mint"):
        redeemed = api.redeem(tokens["processor"])
        assert redeemed.code in gone
        # Whatever became of a removal, it is the same for all that the Item had.
        assert (redeemed.code == "ITEM_NOT_FOUND") == (alive.code == "ITEM_NOT_FOUND")
        if redeemed.code == "OK":
            allowed = story.after("permit", "OK", "INVALID_PRODUCT")
            answer = api.redeem(tokens["processor"], "auth")
            assert answer.code in allowed
            assert api.permissions(tokens["processor"]) == (
                [] if answer.code == "OK" else ["identity"]
            )


def check_nothing_half_done(server: Server, accounts: int) -> None:
    """Hold the rows against each other and against the audit chain."""
    entries, heads = audit(server)
    verify_chains(entries, heads)
    recorded: dict[str, Counter[Any]] = defaultdict(Counter)
    for row in entries:
        entry = json.loads(row["entry"])
        recorded[entry["action"]][entry.get("token_id") or entry.get("item_id")] += 1
    items = query(server, "SELECT item_id, removed_at FROM items")
    alive = {row["item_id"] for row in items if row["removed_at"] is None}
    removed = {row["item_id"] for row in items if row["removed_at"] is not None}
    assert recorded["item.create"] == Counter(alive | removed)
    assert recorded["item.remove"] == Counter(removed)
    kept = query(server, "SELECT item_id, count(*) AS number FROM accounts GROUP BY item_id")
    assert {row["item_id"]: row["number"] for row in kept} == dict.fromkeys(alive, accounts)
    tokens = query(server, "SELECT token_id, kind, item_id, ended_at FROM tokens")
    for kind in ("public", "access", "processor"):
        ids = [row["token_id"] for row in tokens if row["kind"] == kind]
        assert recorded[f"{kind}_token.create"] == Counter(ids)
    assert {row["item_id"] for row in tokens} == alive | removed
    permissions = query(server, "SELECT token_id FROM permissions")
    permitted = Counter(row["token_id"] for row in permissions)
    assert recorded["processor_token.permissions_set"] == permitted
    # Exchanging and rotating each end one token and make one; both or neither.
    public = Counter(row["item_id"] for row in tokens if row["kind"] == "public")
    assert set(public.values()) == {1}
    for item_id in alive | removed:
        mine = [row for row in tokens if row["item_id"] == item_id]
        ended = sum(row["ended_at"] is not None for row in mine)
        assert ended == sum(row["kind"] == "access" for row in mine)


@pytest.mark.slow
def test_killed_under_load(serve: Callable[..., Server], store: list[str]) -> None:
    server = serve(*store)
    api = Api(server.url)
    first = api.post("/accounts/get", access_token=api.link().access_token)
    accounts = len(first["accounts"])
    totals: Counter[str] = Counter()
    stories: list[Story] = []
    for number in range(KILLS):
        writers = [Writer(server, each) for each in range(WRITERS)]
        for writer in writers:
            writer.start()
        time.sleep(WORK_SECONDS[number % len(WORK_SECONDS)])
        server.kill()
        for writer in writers:
            writer.join()
            assert writer.failures == []
        server.start()
        api = Api(server.url)
        check_nothing_half_done(server, accounts)
        told = [story for writer in writers for story in writer.stories]
        for story in told:
            totals.update(story.acknowledged)
            totals["pending"] += len(story.asked) - len(story.acknowledged)
            check(api, story, accounts)
        stories += told
    check_nothing_half_done(server, accounts)
    # Enough was at stake, every kind of step among it.
    for step in ("create", "exchange", "mint", "permit", "rotate", "remove"):
        assert totals[step] >= KILLS // 2, totals
    assert totals["pending"] >= KILLS, totals
    # What survived one crash survives the others: removed Items stay removed.
    for story in stories:
        if story.done("remove"):
            answer = api.post("/item/get", access_token=story.tokens["renewed"])
            assert answer.code == "ITEM_NOT_FOUND"
