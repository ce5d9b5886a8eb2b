"""The kinds of single values in a custom user, each saying how it must look."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

_ISO_4217 = (
    "AED|AFN|ALL|AMD|ANG|AOA|ARS|AUD|AWG|AZN|BAM|BBD|BDT|BGN|BHD|BIF|BMD|BND|BOB|BOV|BRL|BSD|BTN|"
    "BWP|BYN|BZD|CAD|CDF|CHE|CHF|CHW|CLF|CLP|CNY|COP|COU|CRC|CUP|CVE|CZK|DJF|DKK|DOP|DZD|EGP|ERN|"
    "ETB|EUR|FJD|FKP|GBP|GEL|GHS|GIP|GMD|GNF|GTQ|GYD|HKD|HNL|HTG|HUF|IDR|ILS|INR|IQD|IRR|ISK|JMD|"
    "JOD|JPY|KES|KGS|KHR|KMF|KPW|KRW|KWD|KYD|KZT|LAK|LBP|LKR|LRD|LSL|LYD|MAD|MDL|MGA|MKD|MMK|MNT|"
    "MOP|MRU|MUR|MVR|MWK|MXN|MXV|MYR|MZN|NAD|NGN|NIO|NOK|NPR|NZD|OMR|PAB|PEN|PGK|PHP|PKR|PLN|PYG|"
    "QAR|RON|RSD|RUB|RWF|SAR|SBD|SCR|SDG|SEK|SGD|SHP|SLE|SOS|SRD|SSP|STN|SVC|SYP|SZL|THB|TJS|TMT|"
    "TND|TOP|TRY|TTD|TWD|TZS|UAH|UGX|USD|USN|UYI|UYU|UYW|UZS|VED|VES|VND|VUV|WST|XAF|XAG|XAU|XCD|"
    "XCG|XDR|XOF|XPD|XPF|XPT|XSU|XUA|YER|ZAR|ZMW|ZWG"
)
ISO_4217 = frozenset(_ISO_4217.split("|"))


def _text(pattern: str, description: str) -> Meta:
    # `$` would let a line end pass.
    return Meta(pattern=rf"^(?:{pattern})\Z", description=description)


Currency = Annotated[str, _text(_ISO_4217, "an ISO 4217 currency code, such as USD")]
AnyCurrency = Annotated[str, _text("[A-Z0-9]{2,10}", "a currency code of capital letters")]
Country = Annotated[str, _text("[A-Z]{2}", "an ISO 3166 country code of two capital letters")]
Mask = Annotated[str, _text("|[A-Za-z0-9]{2,4}", "empty or 2 to 4 letters and digits")]
AccountNumber = Annotated[str, _text("[A-Za-z0-9]{2,34}", "2 to 34 letters and digits")]
RoutingNumber = Annotated[str, _text("[0-9]{9}", "nine digits")]
EftInstitution = Annotated[str, _text("[0-9]{3}", "three digits")]
EftBranch = Annotated[str, _text("[0-9]{5}", "five digits")]
Bic = Annotated[str, _text("[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?", "a BIC of 8 or 11 characters")]
Iban = Annotated[str, _text("[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", "an IBAN without spaces")]
SortCode = Annotated[str, _text("[0-9]{6}", "six digits")]
Isin = Annotated[str, _text("[A-Z]{2}[A-Z0-9]{9}[0-9]", "an ISIN of twelve characters")]
Cusip = Annotated[str, _text("[A-Z0-9*@#]{9}", "a CUSIP of nine characters")]
Sedol = Annotated[str, _text("[A-Z0-9]{7}", "a SEDOL of seven characters")]
DecimalText = Annotated[str, _text(r"-?[0-9]{1,12}(\.[0-9]{1,9})?", "a decimal number in a text")]

# Every number has limits, so that no sum of them overflows.
MAX_AMOUNT = 1e12
Amount = Annotated[
    float, Meta(ge=-MAX_AMOUNT, le=MAX_AMOUNT, description="a number from -1e12 to 1e12")
]
Percentage = Annotated[float, Meta(ge=0, le=100, description="a number from 0 to 100")]
Count = Annotated[int, Meta(ge=0, le=10_000, description="a whole number from 0 to 10000")]
Rounds = Annotated[int, Meta(ge=1, le=10, description="a whole number from 1 to 10")]
Year = Annotated[int, Meta(ge=1900, le=2199, description="a year from 1900 to 2199")]
DayOfMonth = (
    Annotated[int, Meta(ge=1, le=28, description="a whole number from 1 to 28")] | Literal["last"]
)

AccountType = Literal["investment", "credit", "depository", "loan", "payroll", "other"]
InflowType = Literal[
    "none", "monthly-income", "monthly-balance-payment", "monthly-interest-only-payment"
]
LiabilityType = Literal["credit", "student", "loan", "line_of_credit"]
MfaType = Literal["device", "selections", "questions"]
InvestmentType = Literal["buy", "sell", "cash", "fee", "transfer"]
ForcedError = Literal[
    "INSTITUTION_NOT_RESPONDING",
    "INSTITUTION_NO_LONGER_SUPPORTED",
    "INVALID_CREDENTIALS",
    "INVALID_MFA",
    "ITEM_LOCKED",
    "ITEM_LOGIN_REQUIRED",
    "ITEM_NOT_SUPPORTED",
    "INVALID_LINK_TOKEN",
    "MFA_NOT_SUPPORTED",
    "NO_ACCOUNTS",
    "PLAID_ERROR",
    "USER_INPUT_TIMEOUT",
    "USER_SETUP_REQUIRED",
]
