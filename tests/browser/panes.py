"""Each pane that Link has, on walks of a user through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from tests.support.link import DEPOSIT_BANK, MATCHING_BANK, OAUTH_BANK, PLAIN_BANK
from treadle.testing.browser import LinkPage

SAME_DAY = {"auth": {"same_day_microdeposits_enabled": True}}
ONLY_NUMBERS = {"routing_number": "110000000", "account_number": "1111222233330000"}


class Place(NamedTuple):
    name: str
    view: str
    # From the place before.
    go: Callable[[LinkPage], object]


class Walk(NamedTuple):
    """One session of Link, and the places that it comes to."""

    name: str
    places: Sequence[Place]
    # Of the link token.
    fields: Mapping[str, Any] = MappingProxyType({})

    def go(self, link: LinkPage) -> Iterator[Place]:
        """Go from place to place, and stay at each as long as the caller does."""
        link.wait_for("CONSENT")
        for place in self.places:
            place.go(link)
            link.wait_for(place.view)
            yield place


def _stay(link: LinkPage) -> None:
    """Where Link begins."""


def _phone(link: LinkPage, number: str) -> None:
    link.fill(phone=number)
    link.press("phone-continue")


def _to_bank(link: LinkPage, institution_id: str = PLAIN_BANK) -> None:
    link.press("back")
    link.wait_for("SELECT_INSTITUTION")
    link.choose_bank(institution_id)


def _log_in_again(link: LinkPage, password: str) -> None:
    _to_bank(link)
    link.log_in(password=password)


def _device(link: LinkPage) -> None:
    link.by_test_id("answer-0-0").check()
    link.press("submit")
    link.by_test_id("answer-0").wait_for()


def _code(link: LinkPage) -> None:
    link.press("stay")
    link.submit(answer_0="1234")


def _search(link: LinkPage, query: str) -> None:
    link.go_to_banks()
    link.fill(search=query)


def _unhealthy(link: LinkPage) -> None:
    link.fill(search="unhealthy")
    link.by_test_id("institution-ins_132361").wait_for()


def _log_in(link: LinkPage, institution_id: str) -> None:
    link.go_to_banks()
    link.choose_bank(institution_id)
    link.log_in()


def _numbers_beside(link: LinkPage) -> None:
    link.by_test_id("account-1111").check()
    link.press("accounts-continue")


def _enter(link: LinkPage, place: int, **numbers: str) -> None:
    link.by_test_id(f"account-type-{place}").check()
    link.submit(**numbers)


def _instant_deposit(link: LinkPage) -> None:
    link.go_to_banks()
    link.choose_bank(DEPOSIT_BANK)
    _enter(link, 0, routing_number="333333334", account_number="1111222233330000")


def _oauth(link: LinkPage) -> None:
    link.go_to_banks()
    link.choose_bank(OAUTH_BANK)


def _waiting(link: LinkPage) -> None:
    with link.page.expect_popup():
        link.press("open-oauth")
    link.by_test_id("bank-page").wait_for()


WALKS = [
    Walk("abroad", [Place("consent", "CONSENT", _stay)], {"country_codes": ["GB"]}),
    Walk(
        "phone",
        [
            Place("consent with a phone", "CONSENT", _stay),
            Place("wrong phone", "CONSENT", lambda link: _phone(link, "12")),
            Place("code of the phone", "VERIFY_PHONE", lambda link: _phone(link, "4155550011")),
            Place(
                "saved banks", "SELECT_SAVED_INSTITUTION", lambda link: link.submit(code="123456")
            ),
        ],
    ),
    Walk(
        "password",
        [
            Place("banks", "SELECT_INSTITUTION", lambda link: link.go_to_banks()),
            Place("unhealthy banks", "SELECT_INSTITUTION", _unhealthy),
            Place("bank that is down", "ERROR", lambda link: link.press("institution-ins_132361")),
            Place("ways into a bank", "SELECT_BRAND", lambda link: _to_bank(link, "ins_109508")),
            Place("login", "CREDENTIAL", _to_bank),
            Place("wrong login", "CREDENTIAL", lambda link: link.log_in(password="wrong")),
            Place("questions", "MFA", lambda link: link.log_in(password="mfa_questions_1_2")),
            Place("selections", "MFA", lambda link: _log_in_again(link, "mfa_selections")),
            Place("error", "ERROR", lambda link: _log_in_again(link, "error_ITEM_LOCKED")),
            Place("devices", "MFA", lambda link: _log_in_again(link, "mfa_device")),
            Place("code", "MFA", _device),
            Place("leaving", "EXIT", lambda link: link.press("exit")),
            Place("accounts", "SELECT_ACCOUNT", _code),
            Place("connected", "CONNECTED", lambda link: link.choose_accounts(["0000", "1111"])),
        ],
    ),
    Walk(
        "kinds of login",
        [Place("kinds of login", "SELECT_AUTH_TYPE", lambda link: link.press("consent-continue"))],
        {"auth": {"auth_type_select_enabled": True}},
    ),
    Walk(
        "bank's page",
        [
            Place("before a bank's page", "OAUTH", _oauth),
            Place("behind a bank's page", "OAUTH", _waiting),
        ],
    ),
    Walk(
        "numbers beside a login",
        [
            Place("one account", "SELECT_ACCOUNT", lambda link: _log_in(link, MATCHING_BANK)),
            Place("numbers of an account", "NUMBERS", _numbers_beside),
        ],
    ),
    Walk(
        "numbers",
        [
            Place("no bank", "SELECT_INSTITUTION", lambda link: _search(link, "nowhere")),
            Place("numbers", "NUMBERS", lambda link: link.press("enter-numbers")),
            Place(
                "deposit",
                "SAME_DAY_MICRODEPOSIT_AUTHORIZED",
                lambda link: _enter(link, 0, **ONLY_NUMBERS),
            ),
        ],
        SAME_DAY,
    ),
    Walk(
        "instant deposit",
        [Place("code of an instant deposit", "INSTANT_MICRODEPOSIT_AUTHORIZED", _instant_deposit)],
        {"auth": {"instant_microdeposits_enabled": True}},
    ),
]
