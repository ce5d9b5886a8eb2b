"""Any sequence of calls gives what a small model of tokens, permissions and Items predicts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)

from tests.support.effort import tries
from tests.support.raw import INSTITUTION, Answer, Api

OK = "OK"
# Well-formed, and no account's.
NO_ACCOUNT = "1" * 37
BILLABLE = ("auth", "identity", "transactions")
PERMISSIONS = st.lists(st.sampled_from([*BILLABLE, "balance"]), max_size=3, unique=True)
PATHS = {
    "access": ["/item/get", "/accounts/get", "/item/remove", "/item/access_token/invalidate"],
    "public": ["/item/public_token/exchange"],
    "processor": [
        "/processor/auth/get",
        "/processor/account/get",
        "/processor/token/permissions/get",
    ],
}


@dataclass
class Item:
    billed: set[str]
    broken: bool = False
    removed: bool = False
    # The ids of its accounts by subtype, once they were read.
    accounts: dict[str, str] = field(default_factory=dict)


@dataclass
class Token:
    """A token of any kind, as the model knows it."""

    kind: str
    text: str
    item: Item
    # Exchanged, if it is a public token; rotated, if it is an access token.
    ended: bool = False
    subtype: str = ""
    permissions: list[str] = field(default_factory=list)

    def expected(self) -> str:
        """What presenting the token answers when nothing else is wrong."""
        if self.ended:
            return f"INVALID_{self.kind.upper()}_TOKEN"
        return "ITEM_NOT_FOUND" if self.item.removed else OK

    def expected_redeem(self, product: str) -> str:
        """What redeeming answers; a product that is used becomes billed."""
        code = self.expected()
        if code != OK:
            return code
        if self.permissions and product != "account" and product not in self.permissions:
            return "INVALID_PRODUCT"
        if self.item.broken:
            return "ITEM_LOGIN_REQUIRED"
        if product == "auth" and self.subtype != "checking":
            return "NO_AUTH_ACCOUNTS"
        if product in BILLABLE:
            self.item.billed.add(product)
        return OK


class Calls(RuleBasedStateMachine):
    """Items of one client; a second client tries every token too."""

    api: Api
    stranger: Api

    public = Bundle("public")
    access = Bundle("access")
    processor = Bundle("processor")
    every = st.one_of(public, access, processor)

    def __init__(self) -> None:
        super().__init__()
        self.tokens: list[Token] = []

    @initialize(target=public)
    def start(self) -> Any:
        return self.create(["transactions"])

    @rule(target=public, products=st.lists(st.sampled_from(BILLABLE), min_size=1, unique=True))
    def create(self, products: list[str]) -> Token:
        return Token("public", self.api.public_token(*products), Item(set(products)))

    @rule(target=public, token=access)
    def create_again(self, token: Token) -> Any:
        answer = self.present("/item/public_token/create", token)
        return self.kept(answer, token, "public", "public_token")

    @rule(target=access, token=public)
    def exchange(self, token: Token) -> Any:
        answer = self.present("/item/public_token/exchange", token)
        token.ended = token.ended or answer.code == OK
        return self.kept(answer, token, "access", "access_token")

    @rule(target=access, token=access)
    def rotate(self, token: Token) -> Any:
        answer = self.present("/item/access_token/invalidate", token)
        if answer.code == OK:
            for each in self.access_tokens(token.item):
                each.ended = True
        return self.kept(answer, token, "access", "new_access_token")

    @rule(target=processor, token=access, subtype=st.sampled_from(["checking", "credit card"]))
    def mint(self, token: Token, subtype: str) -> Any:
        item = token.item
        if token.expected() == OK and not item.broken and not item.accounts:
            accounts = self.present("/accounts/get", token)["accounts"]
            item.accounts = {one["subtype"]: one["account_id"] for one in accounts}
        account_id = item.accounts.get(subtype, NO_ACCOUNT)
        fields = {"account_id": account_id, "processor": "dwolla"}
        answer = self.post("/processor/token/create", token, **fields)
        unknown = token.expected() == OK and account_id == NO_ACCOUNT
        assert answer.code == ("INVALID_ACCOUNT_ID" if unknown else token.expected())
        return self.kept(answer, token, "processor", "processor_token", subtype)

    @rule(token=processor, products=PERMISSIONS)
    def permit(self, token: Token, products: list[str]) -> None:
        answer = self.present("/processor/token/permissions/set", token, products=products)
        if answer.code == OK:
            token.permissions = products

    @rule(token=processor)
    def permissions(self, token: Token) -> None:
        answer = self.present("/processor/token/permissions/get", token)
        if answer.code == OK:
            assert answer["products"] == token.permissions

    @rule(token=processor, product=st.sampled_from(["account", "auth", "identity", "balance"]))
    def redeem(self, token: Token, product: str) -> None:
        answer = self.post(f"/processor/{product}/get", token)
        assert answer.code == token.expected_redeem(product)

    @rule(token=access)
    def get(self, token: Token) -> None:
        answer = self.present("/item/get", token)
        if answer.code == OK:
            item = answer["item"]
            assert item["billed_products"] == sorted(token.item.billed)
            assert token.item.billed.isdisjoint(item["available_products"])
            code = item["error"]["error_code"] if item["error"] else None
            assert code == ("ITEM_LOGIN_REQUIRED" if token.item.broken else None)

    @rule(token=access)
    def break_login(self, token: Token) -> None:
        if self.present("/sandbox/item/reset_login", token).code == OK:
            token.item.broken = True

    # Not each time: most calls should find something alive.
    @rule(token=access, sure=st.integers(0, 3))
    def remove(self, token: Token, sure: int) -> None:
        if sure == 0 and self.present("/item/remove", token).code == OK:
            token.item.removed = True

    @rule(token=every, data=st.data())
    def pass_for_another_kind(self, token: Token, data: st.DataObject) -> None:
        kind = data.draw(st.sampled_from([kind for kind in PATHS if kind != token.kind]))
        path = data.draw(st.sampled_from(PATHS[kind]))
        answer = self.api.post(path, **{f"{kind}_token": token.text})
        assert answer.code == f"INVALID_{kind.upper()}_TOKEN"

    @rule(token=every, data=st.data())
    def try_as_stranger(self, token: Token, data: st.DataObject) -> None:
        path = data.draw(st.sampled_from(PATHS[token.kind]))
        answer = self.stranger.post(path, **{f"{token.kind}_token": token.text})
        assert answer.code == f"INVALID_{token.kind.upper()}_TOKEN"

    def access_tokens(self, item: Item) -> list[Token]:
        return [one for one in self.tokens if one.kind == "access" and one.item is item]

    def post(self, path: str, token: Token, **fields: Any) -> Answer:
        return self.api.post(path, **{f"{token.kind}_token": token.text}, **fields)

    def present(self, path: str, token: Token, **fields: Any) -> Answer:
        """A call that only the token can make fail."""
        answer = self.post(path, token, **fields)
        assert answer.code == token.expected(), path
        return answer

    def kept(self, answer: Answer, token: Token, kind: str, name: str, subtype: str = "") -> Any:
        """The new token in an answer, for a bundle; nothing when the call was refused."""
        if answer.code != OK:
            return multiple()
        made = Token(kind, answer[name], token.item, subtype=subtype)
        assert made.text.startswith(f"{kind}-sandbox-")
        assert made.text not in {each.text for each in self.tokens}
        self.tokens.append(made)
        return made


@pytest.mark.slow
def test_calls_do_what_the_model_says(api: Api, stranger: Api) -> None:
    answer = api.post("/institutions/get_by_id", institution_id=INSTITUTION, country_codes=["US"])
    # The model takes for granted that the institution has what it uses.
    assert {*BILLABLE, "balance"} <= set(answer["institution"]["products"])
    machine = type("Machine", (Calls,), {"api": api, "stranger": stranger})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=tries(30, thorough=300),
            stateful_step_count=50,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
