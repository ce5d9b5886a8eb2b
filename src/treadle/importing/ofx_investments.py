"""OFX and QFX: investment accounts, with what is held and was traded there."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from treadle.importing.keys import EntryKeys, account_key
from treadle.importing.ofx_tree import Aggregate
from treadle.importing.statement import (
    Entries,
    StatementAccount,
    StatementHolding,
    StatementSecurity,
    StatementTrade,
)
from treadle.importing.values import told_amount
from treadle.wire.common import AccountSubtype, AccountType
from treadle.wire.common import InvestmentTransactionSubtype as Subtype
from treadle.wire.common import InvestmentTransactionType as Type

_ZERO = Decimal(0)
_SECURITY_TYPES = {
    "STOCKINFO": "equity",
    "MFINFO": "mutual fund",
    "DEBTINFO": "fixed income",
    "OPTINFO": "derivative",
    "OTHERINFO": "other",
}
# The part of a trade that the buys, and that the sells, have in common.
_TRADED = ("INVBUY", "INVSELL")
_KINDS = {
    **dict.fromkeys(
        ("BUYDEBT", "BUYMF", "BUYOPT", "BUYOTHER", "BUYSTOCK"), (Type.BUY, Subtype.BUY)
    ),
    **dict.fromkeys(
        ("SELLDEBT", "SELLMF", "SELLOPT", "SELLOTHER", "SELLSTOCK"), (Type.SELL, Subtype.SELL)
    ),
    "CLOSUREOPT": (Type.TRANSFER, Subtype.EXPIRE),
    "INCOME": (Type.CASH, Subtype.DISTRIBUTION),
    "INVEXPENSE": (Type.FEE, Subtype.MISCELLANEOUS_FEE),
    "JRNLFUND": (Type.TRANSFER, Subtype.TRANSFER),
    "JRNLSEC": (Type.TRANSFER, Subtype.TRANSFER),
    "MARGININTEREST": (Type.FEE, Subtype.MARGIN_EXPENSE),
    "REINVEST": (Type.BUY, Subtype.DIVIDEND_REINVESTMENT),
    "RETOFCAP": (Type.CASH, Subtype.RETURN_OF_PRINCIPAL),
    "SPLIT": (Type.TRANSFER, Subtype.SPLIT),
    "TRANSFER": (Type.TRANSFER, Subtype.TRANSFER),
}
# What a field of the transaction tells more closely.
_CLOSER = {
    ("INCOME", "DIV"): Subtype.DIVIDEND,
    ("INCOME", "INTEREST"): Subtype.INTEREST,
    ("INCOME", "CGLONG"): Subtype.LONG_TERM_CAPITAL_GAIN,
    ("INCOME", "CGSHORT"): Subtype.SHORT_TERM_CAPITAL_GAIN,
    ("REINVEST", "INTEREST"): Subtype.INTEREST_REINVESTMENT,
    ("REINVEST", "CGLONG"): Subtype.LONG_TERM_CAPITAL_GAIN_REINVESTMENT,
    ("REINVEST", "CGSHORT"): Subtype.SHORT_TERM_CAPITAL_GAIN_REINVESTMENT,
    ("CLOSUREOPT", "EXERCISE"): Subtype.EXERCISE,
    ("CLOSUREOPT", "ASSIGN"): Subtype.ASSIGNMENT,
    ("BUYSTOCK", "BUYTOCOVER"): Subtype.BUY_TO_COVER,
    ("SELLSTOCK", "SELLSHORT"): Subtype.SELL_SHORT,
}
_BANK_KINDS = {
    "INT": (Type.CASH, Subtype.INTEREST),
    "DIV": (Type.CASH, Subtype.DIVIDEND),
    "FEE": (Type.FEE, Subtype.ACCOUNT_FEE),
    "SRVCHG": (Type.FEE, Subtype.ACCOUNT_FEE),
}
Securities = dict[str, StatementSecurity]


def read_securities(root: Aggregate) -> Iterator[tuple[str, StatementSecurity]]:
    for messages in root.children("SECLISTMSGSRSV1"):
        for info in messages.children("SECLIST/*"):
            if info.tag not in _SECURITY_TYPES:
                continue
            told = info.need("SECINFO")
            key, id_type = _security_id(told)
            price = told.amount("UNITPRICE")
            yield (
                key,
                StatementSecurity(
                    key=key,
                    id_type=id_type,
                    name=told.text("SECNAME") or told.text("TICKER") or key,
                    type=_SECURITY_TYPES[info.tag],
                    ticker=told.text("TICKER") or None,
                    price=price,
                    price_as_of=told.day("DTASOF") if price is not None else None,
                ),
            )


def _security_id(told: Aggregate) -> tuple[str, str]:
    return told.need_text("SECID/UNIQUEID"), told.text("SECID/UNIQUEIDTYPE") or "OTHER"


def read_investments(
    statement: Aggregate, account_tag: str, securities: Securities, keys: EntryKeys
) -> Entries:
    told = statement.need(account_tag)
    number, broker = told.need_text("ACCTID"), told.text("BROKERID")
    key = account_key("ofx", broker, "", number, "INVESTMENT")
    currency = statement.need_text("CURDEF")
    positions = [
        (position, _read_holding(position, key, currency))
        for position in statement.children("INVPOSLIST/*/INVPOS")
    ]
    is_401k = any(statement.find(path) for path in ("INV401K", "INV401KBAL"))
    cash = statement.amount("INVBAL/AVAILCASH")
    held = sum((holding.value for _, holding in positions), cash or _ZERO)
    yield StatementAccount(
        key=key,
        type=AccountType.INVESTMENT,
        subtype=AccountSubtype.VALUE_401K if is_401k else AccountSubtype.BROKERAGE,
        number=number,
        bank=broker or None,
        currency=currency,
        current=held if positions or cash is not None else None,
        available=cash,
    )
    for position, holding in positions:
        yield from _unlisted(position, securities)
        yield holding
    for listed in statement.children("INVTRANLIST/*"):
        if listed.tag == "INVBANKTRAN":
            yield from _read_bank_transaction(listed.need("STMTTRN"), key, currency, keys)
        elif listed.tag in _KINDS:
            yield from _read_trade(listed, key, currency, securities, keys)


def _unlisted(told: Aggregate, securities: Securities) -> Iterator[StatementSecurity]:
    """The security that an entry names, when the list of the file left it out."""
    key, id_type = _security_id(told)
    if key not in securities:
        securities[key] = StatementSecurity(key=key, id_type=id_type, name=key, type="other")
        yield securities[key]


def _read_holding(position: Aggregate, account: str, currency: str) -> StatementHolding:
    key, _ = _security_id(position)
    return StatementHolding(
        account=account,
        security=key,
        quantity=position.need_amount("UNITS"),
        price=position.need_amount("UNITPRICE"),
        value=position.need_amount("MKTVAL"),
        as_of=position.need_day("DTPRICEASOF"),
        currency=position.text("CURRENCY/CURSYM") or currency,
    )


def _read_bank_transaction(
    told: Aggregate, account: str, currency: str, keys: EntryKeys
) -> Iterator[StatementTrade]:
    amount, day = told.need_amount("TRNAMT"), told.need_day("DTPOSTED")
    name = told.text("NAME") or told.text("MEMO") or told.text("TRNTYPE") or "UNKNOWN"
    moved = Subtype.DEPOSIT if amount > 0 else Subtype.WITHDRAWAL
    type_, subtype = _BANK_KINDS.get(told.text("TRNTYPE"), (Type.CASH, moved))
    key = _key(told.text("FITID"), account, (day.isoformat(), told_amount(amount), name), keys)
    if key:
        yield StatementTrade(
            key=key,
            account=account,
            date=day,
            name=name,
            type=type_,
            subtype=subtype,
            amount=_ZERO - amount,
            currency=told.text("CURRENCY/CURSYM") or currency,
        )


def _read_trade(
    listed: Aggregate, account: str, currency: str, securities: Securities, keys: EntryKeys
) -> Iterator[StatementSecurity | StatementTrade]:
    told = next(filter(None, map(listed.find, _TRADED)), listed)
    head = told.need("INVTRAN")
    bank_id, day = head.text("FITID"), head.need_day("DTTRADE")
    head.name = told.name = listed.name = f"{listed.tag} {bank_id}" if bank_id else listed.name
    security = None
    if told.find("SECID"):
        yield from _unlisted(told, securities)
        security, _ = _security_id(told)
    total, units = told.amount("TOTAL") or _ZERO, told.amount("UNITS") or _ZERO
    name = head.text("MEMO") or (securities[security].name if security else listed.tag)
    content = (day.isoformat(), told_amount(total), told_amount(units), security or "", name)
    key = _key(bank_id, account, content, keys)
    if key is None:
        return
    type_, subtype = _KINDS[listed.tag]
    for field in ("INCOMETYPE", "OPTACTION", "BUYTYPE", "SELLTYPE"):
        subtype = _CLOSER.get((listed.tag, listed.text(field)), subtype)
    fees = (told.amount("FEES") or _ZERO) + (told.amount("COMMISSION") or _ZERO)
    yield StatementTrade(
        key=key,
        account=account,
        date=day,
        name=name,
        type=type_,
        subtype=subtype,
        amount=_ZERO - total,
        quantity=units,
        price=told.amount("UNITPRICE") or _ZERO,
        fees=fees or None,
        security=security,
        currency=told.text("CURRENCY/CURSYM") or currency,
    )


def _key(bank_id: str, account: str, content: tuple[str, ...], keys: EntryKeys) -> str | None:
    if bank_id:
        return keys.of_id(account, bank_id, *content)
    return keys.of_content(account, *content)
