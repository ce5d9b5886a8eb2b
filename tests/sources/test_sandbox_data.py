"""The data files of the sandbox, and the registry of processors."""

from __future__ import annotations

import json
import re
from collections import Counter
from importlib.resources import files
from typing import Any

import pytest
from plaid.model.account_subtype import AccountSubtype
from plaid.model.account_type import AccountType
from plaid.model.auth_supported_methods import AuthSupportedMethods
from plaid.model.country_code import CountryCode
from plaid.model.payment_initiation_metadata import PaymentInitiationMetadata
from plaid.model.payment_initiation_standing_order_metadata import (
    PaymentInitiationStandingOrderMetadata,
)
from plaid.model.payment_schedule_interval import PaymentScheduleInterval
from plaid.model.processor_token_create_request import ProcessorTokenCreateRequest
from plaid.model.products import Products

OWN_IDS_START = 900_001

# The institutions that the API's documentation of the sandbox names.
DOCUMENTED_INSTITUTIONS = """
    ins_109508 ins_130016 ins_109509 ins_109510 ins_109511 ins_109512 ins_43 ins_116834 ins_117650
    ins_127287 ins_132241 ins_117181 ins_135858 ins_132363 ins_132361 ins_133402 ins_133502
    ins_133503 ins_135842
"""

# The processors that the API's documentation of processor tokens names.
DOCUMENTED_PROCESSORS = """
    dwolla galileo modern_treasury ocrolus vesta drivewealth vopay achq check checkbook circle
    sila_money rize svb_api unit wyre lithic alpaca astra moov treasury_prime marqeta checkout
    solid highnote gemini apex_clearing gusto adyen atomic i2c wepay riskified utb adp_roll
    fortress_trust bond bakkt teal zero_hash taba_pay knot sardine alloy finix nuvei layer boom
    paynote stake wedbush esusu ansa scribeup straddle loanpro bloom_credit sfox
"""

# Those that two later editions of the API's OpenAPI file add.
LATER_PROCESSORS = """
    brale parafin cardless open_ledger valon gainbridge cardlytics pinwheel thread_bank array fiant
    oatfi curinos frame interchecks interchange atomicfi
    pay natural kanmon kick increase airwallex cybrid bizcap webull
"""

CATEGORY_GROUPS = {
    "10": ("Bank Fees", "special"),
    "11": ("Cash Advance", "special"),
    "12": ("Community", "place"),
    "13": ("Food and Drink", "place"),
    "14": ("Healthcare", "place"),
    "15": ("Interest", "special"),
    "16": ("Payment", "special"),
    "17": ("Recreation", "place"),
    "18": ("Service", "place"),
    "19": ("Shops", "place"),
    "20": ("Tax", "special"),
    "21": ("Transfer", "special"),
    "22": ("Travel", "place"),
}


def load(package: str, *path: str) -> Any:
    return json.loads(files(package).joinpath(*path).read_text(encoding="utf-8"))


def enum_values(model: Any, *member: str) -> set[str]:
    return set(model.allowed_values[member or ("value",)].values())


def valid_routing_number(number: str) -> bool:
    if re.fullmatch(r"[0-9]{9}", number) is None:
        return False
    weights = (3, 7, 1) * 3
    return sum(w * int(digit) for w, digit in zip(weights, number, strict=True)) % 10 == 0


INSTITUTIONS: list[dict[str, Any]] = load("treadle.sources.sandbox", "institutions.json")
USER_GOOD: dict[str, Any] = load("treadle.sources.sandbox", "users", "user_good.json")
CATEGORIES: list[dict[str, Any]] = load("treadle.sources.sandbox", "categories.json")
PROCESSORS: dict[str, str] = load("treadle.partners", "processors.json")

each_institution = pytest.mark.parametrize(
    "institution", [pytest.param(one, id=one["institution_id"]) for one in INSTITUTIONS]
)


def number_of(institution: dict[str, Any]) -> int:
    return int(institution["institution_id"].removeprefix("ins_"))


OWN = [one for one in INSTITUTIONS if number_of(one) >= OWN_IDS_START]


def institution_of(institution_id: str) -> dict[str, Any]:
    (found,) = [one for one in INSTITUTIONS if one["institution_id"] == institution_id]
    return found


# Institutions


def test_institution_ids_and_names_are_unique() -> None:
    for key in ("institution_id", "name"):
        counts = Counter(one[key] for one in INSTITUTIONS)
        assert [value for value, count in counts.items() if count > 1] == []


def test_the_documented_institutions_are_there_and_the_others_are_our_own() -> None:
    ids = {one["institution_id"] for one in INSTITUTIONS}
    own = {f"ins_{OWN_IDS_START + place}" for place in range(len(OWN))}
    assert ids == set(DOCUMENTED_INSTITUTIONS.split()) | own
    assert len(OWN) >= 25


@each_institution
def test_institution_has_exactly_its_members(institution: dict[str, Any]) -> None:
    assert set(institution) == {
        "institution_id",
        "name",
        "country_codes",
        "oauth",
        "routing_numbers",
        "dtc_numbers",
        "products",
        "url",
        "primary_color",
        "supported",
        "status",
        "auth_metadata",
        "payment_initiation_metadata",
    }
    assert re.fullmatch(r"ins_[1-9][0-9]*", institution["institution_id"])
    assert institution["name"].strip() == institution["name"] != ""
    assert type(institution["oauth"]) is bool
    assert type(institution["supported"]) is bool
    assert institution["status"] in {"healthy", "degraded", "down"}
    assert institution["url"] is None or institution["url"].startswith("https://")
    color = institution["primary_color"]
    assert color is None or re.fullmatch(r"#[0-9a-f]{6}", color)


@each_institution
def test_institution_countries_and_products_are_the_sdks(institution: dict[str, Any]) -> None:
    countries, products = institution["country_codes"], institution["products"]
    assert countries
    assert len(set(countries)) == len(countries)
    assert set(countries) <= enum_values(CountryCode)
    assert products == sorted(set(products))
    assert set(products) <= enum_values(Products)
    assert "balance" in products


@each_institution
def test_institution_numbers_are_well_formed(institution: dict[str, Any]) -> None:
    assert [n for n in institution["routing_numbers"] if not valid_routing_number(n)] == []
    assert [n for n in institution["dtc_numbers"] if not re.fullmatch(r"[0-9]{4}", n)] == []


@each_institution
def test_auth_metadata_goes_with_auth(institution: dict[str, Any]) -> None:
    metadata = institution["auth_metadata"]
    assert (metadata is not None) == ("auth" in institution["products"])
    if metadata is not None:
        assert set(metadata) == {"supported_methods"}
        methods = metadata["supported_methods"]
        assert set(methods) == set(AuthSupportedMethods.attribute_map)
        assert {type(value) for value in methods.values()} == {bool}
        assert any(methods.values())


@each_institution
def test_payment_metadata_goes_with_payment_initiation(institution: dict[str, Any]) -> None:
    metadata = institution["payment_initiation_metadata"]
    assert (metadata is not None) == ("payment_initiation" in institution["products"])
    if metadata is not None:
        assert set(metadata) == set(PaymentInitiationMetadata.attribute_map)
        orders = metadata["standing_order_metadata"]
        assert set(orders) == set(PaymentInitiationStandingOrderMetadata.attribute_map)
        intervals = set(orders["valid_standing_order_intervals"])
        assert intervals <= enum_values(PaymentScheduleInterval)
        assert [
            currency
            for currency, amount in metadata["maximum_payment_amount"].items()
            if not re.fullmatch(r"[A-Z]{3}", currency) or not re.fullmatch(r"[0-9]+", amount)
        ] == []


def test_our_own_institutions_are_plainly_fictional() -> None:
    assert [one["name"] for one in OWN if re.search("plaid|platypus", one["name"], re.I)] == []
    hosts = [one["url"].rstrip("/").removeprefix("https://") for one in OWN if one["url"]]
    assert [host for host in hosts if not host.endswith(".example")] == []


def test_routing_numbers_are_our_own_unassigned_and_name_one_institution() -> None:
    numbers = [number for one in INSTITUTIONS for number in one["routing_numbers"]]
    assert len(numbers) == len(set(numbers)) >= 6
    # No Federal Reserve district has a number from 81 upward.
    assert [number for number in numbers if int(number[:2]) <= 80] == []
    assert not any(one["routing_numbers"] for one in INSTITUTIONS if one not in OWN)


@pytest.mark.parametrize("country", ["US", "GB"])
@pytest.mark.parametrize("oauth", [True, False])
def test_oauth_filter_has_something_to_do(country: str, oauth: bool) -> None:
    found = [
        one for one in INSTITUTIONS if country in one["country_codes"] and one["oauth"] is oauth
    ]
    assert len(found) >= 4


def test_every_country_meant_is_there() -> None:
    counts = Counter(country for one in INSTITUTIONS for country in one["country_codes"])
    assert counts["CA"] >= 3
    assert min(counts[country] for country in ("IE", "ES", "FR", "DE", "NL")) >= 1


@pytest.mark.parametrize("product", ["assets", "auth", "identity", "investments", "transactions"])
def test_product_filter_tells_institutions_apart(product: str) -> None:
    us = [one for one in OWN if "US" in one["country_codes"]]
    assert {product in one["products"] for one in us} == {True, False}


def test_institutions_with_a_documented_part_play_it() -> None:
    assert institution_of("ins_133402")["supported"] is False
    assert [one for one in INSTITUTIONS if not one["supported"]] == [institution_of("ins_133402")]
    assert institution_of("ins_132363")["status"] == "degraded"
    assert institution_of("ins_132361")["status"] == "down"
    houndstooth = institution_of("ins_109512")["auth_metadata"]["supported_methods"]
    assert houndstooth["instant_match"] is True
    assert houndstooth["automated_micro_deposits"] is True
    windowpane = institution_of("ins_135858")["auth_metadata"]["supported_methods"]
    assert windowpane["instant_micro_deposits"] is True
    for institution_id in ("ins_127287", "ins_132241", "ins_117181"):
        assert institution_of(institution_id)["oauth"] is True


def test_the_default_institution_is_as_recorded() -> None:
    first = institution_of("ins_109508")
    assert first["name"] == "First Platypus Bank"
    assert first["country_codes"] == ["US"]
    assert first["oauth"] is False
    assert first["routing_numbers"] == []
    assert first["url"] == "https://www.plaid.com/"
    assert first["primary_color"] == "#0075a3"
    recorded = """
        assets auth balance transactions credit_details income identity investments
        investments_auth liabilities
    """
    assert set(recorded.split()) <= set(first["products"])


def test_the_recorded_british_institution_is_as_recorded() -> None:
    royal = institution_of("ins_117650")
    assert royal["country_codes"] == ["GB"]
    assert royal["oauth"] is False
    assert royal["products"] == [
        "assets",
        "auth",
        "balance",
        "identity",
        "payment_initiation",
        "standing_orders",
        "transactions",
    ]
    maximum = royal["payment_initiation_metadata"]["maximum_payment_amount"]
    assert maximum == {"GBP": "1000000"}


# The user


def test_user_good_has_the_nine_recorded_accounts_in_order() -> None:
    assert (USER_GOOD["username"], USER_GOOD["password"]) == ("user_good", "pass_good")
    accounts = [
        (
            account["name"],
            account["mask"],
            f"{account['type']}/{account['subtype']}",
            *(account["balances"][key] for key in ("available", "current", "limit")),
            account["official_name"],
        )
        for account in USER_GOOD["accounts"]
    ]
    gold, silver, bronze, diamond, platinum = (
        "Plaid Gold Standard 0% Interest Checking",
        "Plaid Silver Standard 0.1% Interest Saving",
        "Plaid Bronze Standard 0.2% Interest CD",
        "Plaid Diamond 12.5% APR Interest Credit Card",
        "Plaid Platinum Standard 1.85% Interest Money Market",
    )
    assert accounts == [
        ("Plaid Checking", "0000", "depository/checking", 100, 110, None, gold),
        ("Plaid Saving", "1111", "depository/savings", 200, 210, None, silver),
        ("Plaid CD", "2222", "depository/cd", None, 1000, None, bronze),
        ("Plaid Credit Card", "3333", "credit/credit card", None, 410, 2000, diamond),
        ("Plaid Money Market", "4444", "depository/money market", 43200, 43200, None, platinum),
        ("Plaid IRA", "5555", "investment/ira", None, 320.76, None, None),
        ("Plaid 401k", "6666", "investment/401k", None, 23631.9805, None, None),
        ("Plaid Student Loan", "7777", "loan/student", None, 65262, None, None),
        ("Plaid Mortgage", "8888", "loan/mortgage", None, 56302.06, None, None),
    ]


@pytest.mark.parametrize(
    "account", [pytest.param(one, id=one["mask"]) for one in USER_GOOD["accounts"]]
)
def test_account_has_exactly_its_members(account: dict[str, Any]) -> None:
    assert set(account) == {
        "name",
        "official_name",
        "mask",
        "type",
        "subtype",
        "holder_category",
        "balances",
        "numbers",
    }
    assert account["type"] in enum_values(AccountType)
    assert account["subtype"] in enum_values(AccountSubtype)
    assert account["holder_category"] == "personal"
    balances = account["balances"]
    assert set(balances) == {
        "available",
        "current",
        "limit",
        "iso_currency_code",
        "unofficial_currency_code",
    }
    assert balances["iso_currency_code"] == "USD"
    assert balances["unofficial_currency_code"] is None


def test_each_account_has_the_numbers_of_its_kind() -> None:
    numbers = {one["mask"]: one["numbers"] for one in USER_GOOD["accounts"] if one["numbers"]}
    shared = {"routing": "011401533", "wire_routing": "021000021"}
    assert numbers == {
        "0000": {"ach": {"account": "1111222233330000", **shared}},
        "1111": {"ach": {"account": "1111222233331111", **shared}},
        "5555": {"acats": {"account": "1111222233335555", "dtc_numbers": ["1111", "2222", "3333"]}},
        "6666": {"retirement_401k": {"account": "1111222233336666", "plan": "401401"}},
        "7777": {
            "loan": {"account_number": "4277075694", "payment_reference_number": "4277075694"}
        },
        "8888": {"loan": {"account_number": "3120194154"}},
    }
    assert all(valid_routing_number(number) for number in shared.values())


def test_user_good_has_the_recorded_owner() -> None:
    long_address = "extraordinarily.long.email.username.123456@reallylonghostname.com"
    assert USER_GOOD["owners"] == [
        {
            "names": ["Alberta Bobbeth Charleson"],
            "phone_numbers": [
                {"data": "1112223333", "primary": False, "type": "home"},
                {"data": "1112224444", "primary": False, "type": "work"},
                {"data": "1112225555", "primary": False, "type": "mobile1"},
            ],
            "emails": [
                {"data": "accountholder0@example.com", "primary": True, "type": "primary"},
                {"data": "accountholder1@example.com", "primary": False, "type": "secondary"},
                {"data": long_address, "primary": False, "type": "other"},
            ],
            "addresses": [
                {
                    "data": {
                        "city": "Malakoff",
                        "region": "NY",
                        "street": "2992 Cameron Road",
                        "postal_code": "14236",
                        "country": "US",
                    },
                    "primary": True,
                },
                {
                    "data": {
                        "city": "San Matias",
                        "region": "CA",
                        "street": "2493 Leisure Lane",
                        "postal_code": "93405-2255",
                        "country": "US",
                    },
                    "primary": False,
                },
            ],
        }
    ]


# Categories


def test_category_ids_are_unique_sorted_and_of_eight_digits() -> None:
    ids = [category["category_id"] for category in CATEGORIES]
    assert ids == sorted(set(ids))
    assert [one for one in ids if not re.fullmatch(r"[0-9]{8}", one)] == []


def test_categories_agree_with_the_group_of_their_id() -> None:
    for category in CATEGORIES:
        assert set(category) == {"category_id", "group", "hierarchy"}
        name, group = CATEGORY_GROUPS[category["category_id"][:2]]
        assert (category["hierarchy"][0], category["group"]) == (name, group), category
    assert {category["category_id"][:2] for category in CATEGORIES} == set(CATEGORY_GROUPS)


def test_the_parent_of_every_category_exists() -> None:
    by_id = {category["category_id"]: category["hierarchy"] for category in CATEGORIES}
    for category_id, hierarchy in by_id.items():
        if category_id.endswith("000000"):
            assert len(hierarchy) == 1, category_id
        elif category_id.endswith("000"):
            assert len(hierarchy) == 2, category_id
            assert by_id[category_id[:2] + "000000"] == hierarchy[:1]
        else:
            assert len(hierarchy) == 3, category_id
            assert by_id[category_id[:5] + "000"] == hierarchy[:2]


def test_no_two_categories_have_the_same_hierarchy() -> None:
    counts = Counter(tuple(category["hierarchy"]) for category in CATEGORIES)
    assert [hierarchy for hierarchy, count in counts.items() if count > 1] == []


@pytest.mark.parametrize(
    ("category_id", "hierarchy"),
    [
        ("13005032", ["Food and Drink", "Restaurants", "Fast Food"]),
        ("16001000", ["Payment", "Credit Card"]),
        ("19046000", ["Shops", "Sporting Goods"]),
        ("21007000", ["Transfer", "Deposit"]),
    ],
)
def test_recorded_categories(category_id: str, hierarchy: list[str]) -> None:
    assert hierarchy in [
        one["hierarchy"] for one in CATEGORIES if one["category_id"] == category_id
    ]


# Processors


def test_processors_are_the_documented_ones_and_the_sdks() -> None:
    documented = DOCUMENTED_PROCESSORS.split()
    assert len(documented) == len(set(documented)) == 58
    later = LATER_PROCESSORS.split()
    assert len(later) == len(set(later)) == 17 + 9
    sdk = enum_values(ProcessorTokenCreateRequest, "processor")
    assert set(PROCESSORS) == {*sdk, *documented, *later}


def test_processors_are_sorted_and_have_names() -> None:
    assert list(PROCESSORS) == sorted(PROCESSORS)
    assert [key for key, name in PROCESSORS.items() if not name or name.strip() != name] == []
    assert len(set(PROCESSORS.values())) == len(PROCESSORS)
