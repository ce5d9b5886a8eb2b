"""Each pane that Link has, and how a user gets there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from tests.support.link import DEPOSIT_BANK, MATCHING_BANK, OAUTH_BANK, PLAIN_BANK
from treadle.testing.browser import LinkPage

SAME_DAY = {"auth": {"same_day_microdeposits_enabled": True}}
ONLY_NUMBERS = {"routing_number": "110000000", "account_number": "1111222233330000"}


class Place(NamedTuple):
    name: str
    view: str
    go: Callable[[LinkPage], None]
    # Of the link token.
    fields: Mapping[str, Any] = MappingProxyType({})


def _phone(link: LinkPage, number: str) -> None:
    link.wait_for("CONSENT")
    link.fill(phone=number)
    link.press("phone-continue")


def _code(link: LinkPage, number: str) -> None:
    _phone(link, number)
    link.wait_for("VERIFY_PHONE")
    link.submit(code="123456")


def _bank(link: LinkPage, institution_id: str = PLAIN_BANK) -> None:
    link.go_to_banks()
    link.choose_bank(institution_id)


def _login(link: LinkPage, password: str = "pass_good", institution_id: str = PLAIN_BANK) -> None:
    _bank(link, institution_id)
    link.log_in(password=password)


def _device(link: LinkPage) -> None:
    _login(link, "mfa_device")
    link.by_test_id("answer-0-0").check()
    link.press("submit")
    link.wait_for("MFA")


def _accounts(link: LinkPage) -> None:
    _login(link)
    link.choose_accounts(["0000", "1111"])


def _search(link: LinkPage, query: str) -> None:
    link.go_to_banks()
    link.fill(search=query)
    link.wait_for("SELECT_INSTITUTION")


def _matched(link: LinkPage) -> None:
    _login(link, institution_id=MATCHING_BANK)
    link.wait_for("SELECT_ACCOUNT")
    link.by_test_id("account-1111").check()
    link.press("accounts-continue")


def _numbers(link: LinkPage) -> None:
    link.go_to_banks()
    link.press("enter-numbers")


def _deposit(link: LinkPage) -> None:
    _numbers(link)
    _enter(link)


def _enter(link: LinkPage) -> None:
    link.wait_for("NUMBERS")
    link.by_test_id("account-type-0").check()
    link.submit(**ONLY_NUMBERS)


def _instant_deposit(link: LinkPage) -> None:
    _bank(link, DEPOSIT_BANK)
    link.by_test_id("account-type-0").check()
    link.submit(routing_number="333333334", account_number="1111222233330000")


def _waiting(link: LinkPage) -> None:
    _bank(link, OAUTH_BANK)
    with link.page.expect_popup():
        link.press("open-oauth")
    link.by_test_id("bank-page").wait_for()


def _leaving(link: LinkPage) -> None:
    _bank(link)
    link.press("exit")


PLACES = [
    Place("consent", "CONSENT", lambda link: None, {"country_codes": ["GB"]}),
    Place("consent with a phone", "CONSENT", lambda link: None),
    Place("wrong phone", "CONSENT", lambda link: _phone(link, "12")),
    Place("code of the phone", "VERIFY_PHONE", lambda link: _phone(link, "4155550011")),
    Place("saved banks", "SELECT_SAVED_INSTITUTION", lambda link: _code(link, "415-555-0011")),
    Place(
        "kinds of login",
        "SELECT_AUTH_TYPE",
        lambda link: link.press("consent-continue"),
        {"auth": {"auth_type_select_enabled": True}},
    ),
    Place("banks", "SELECT_INSTITUTION", lambda link: link.go_to_banks()),
    Place("no bank", "SELECT_INSTITUTION", lambda link: _search(link, "nowhere"), SAME_DAY),
    Place("unhealthy banks", "SELECT_INSTITUTION", lambda link: _search(link, "unhealthy")),
    Place("ways into a bank", "SELECT_BRAND", lambda link: _bank(link, "ins_109508")),
    Place("login", "CREDENTIAL", _bank),
    Place("wrong login", "CREDENTIAL", lambda link: _login(link, "wrong")),
    Place("before a bank's page", "OAUTH", lambda link: _bank(link, OAUTH_BANK)),
    Place("behind a bank's page", "OAUTH", _waiting),
    Place("devices", "MFA", lambda link: _login(link, "mfa_device")),
    Place("code", "MFA", _device),
    Place("questions", "MFA", lambda link: _login(link, "mfa_questions_1_2")),
    Place("selections", "MFA", lambda link: _login(link, "mfa_selections")),
    Place("accounts", "SELECT_ACCOUNT", _login),
    Place("one account", "SELECT_ACCOUNT", lambda link: _login(link, institution_id=MATCHING_BANK)),
    Place("numbers of an account", "NUMBERS", _matched),
    Place("numbers", "NUMBERS", _numbers, SAME_DAY),
    Place("deposit", "SAME_DAY_MICRODEPOSIT_AUTHORIZED", _deposit, SAME_DAY),
    Place(
        "code of an instant deposit",
        "INSTANT_MICRODEPOSIT_AUTHORIZED",
        _instant_deposit,
        {"auth": {"instant_microdeposits_enabled": True}},
    ),
    Place("connected", "CONNECTED", _accounts),
    Place("error", "ERROR", lambda link: _login(link, "error_ITEM_LOCKED")),
    Place("bank that is down", "ERROR", lambda link: _bank(link, "ins_132361")),
    Place("leaving", "EXIT", _leaving),
]
