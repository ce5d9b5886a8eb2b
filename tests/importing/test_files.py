"""What files of each format are read as."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from tests.importing.reading import BANK_MAPPING, FILES, read, read_bytes
from treadle.importing.csv_guessing import guess_mapping
from treadle.importing.csv_mapping import read_mapping, write_mapping
from treadle.importing.refusal import FileRefused
from treadle.importing.statement import StatementTransaction
from treadle.wire.common import AccountSubtype, AccountType


def amounts(found: list[StatementTransaction]) -> list[str]:
    return [str(one.amount) for one in found]


def test_ofx_1_of_a_bank() -> None:
    found = read("ofx/checking.ofx")
    assert found.account.subtype is AccountSubtype.CHECKING
    assert (found.account.number, found.account.bank) == ("1452687~7", "5472369148")
    assert (found.account.current, found.account.available) == (Decimal("100.99"), Decimal("75.99"))
    assert amounts(found.transactions) == ["-0.01", "34.51", "25.00"]
    assert found.transactions[0].date == dt.date(2011, 3, 31)
    assert "ANNUAL PERCENTAGE YIELD" in found.transactions[0].description


def test_ofx_2() -> None:
    found = read("ofx/suncorp.ofx")
    assert found.account.currency == "AUD"
    (transaction,) = found.transactions
    assert transaction.amount == Decimal("16.85")
    assert transaction.description.startswith("EFTPOS WDL HANDYWAY ALDI")


def test_ofx_with_several_accounts() -> None:
    found = read("ofx/multiple_accounts.ofx")
    told = [(one.number, one.subtype, one.current) for one in found.accounts.values()]
    assert told == [
        ("9100", AccountSubtype.CHECKING, Decimal(111)),
        ("9200", AccountSubtype.SAVINGS, Decimal(222)),
    ]


def test_ofx_of_a_broker() -> None:
    found = read("ofx/fidelity.ofx")
    assert found.account.type is AccountType.INVESTMENT
    assert found.account.available == Decimal("18073.98")
    assert len(found.holdings) == 6
    held = sum(one.value for one in found.holdings)
    assert found.account.current == held + Decimal("18073.98") == Decimal("32993.78")
    intel = found.securities["458140100"]
    assert (intel.name, intel.ticker, intel.type) == ("INTEL CORP", "INTC", "equity")
    bought = found.trades[0]
    assert (bought.type, bought.amount, bought.fees) == ("buy", Decimal("2571.45"), Decimal("7.95"))
    assert (bought.quantity, bought.price) == (Decimal(100), Decimal("25.635"))
    kinds = {(one.type.value, one.subtype.value) for one in found.trades}
    assert {("sell", "sell"), ("cash", "dividend"), ("cash", "deposit")} <= kinds


def test_ofx_of_a_pension() -> None:
    found = read("ofx/investment_401k.ofx")
    assert found.account.subtype is AccountSubtype.VALUE_401K
    assert {one.type for one in found.securities.values()} == {"mutual fund"}


CARD = b"""<OFX><CREDITCARDMSGSRSV1><CCSTMTTRNRS><STATUS><CODE>0<SEVERITY>INFO</STATUS><CCSTMTRS>
<CURDEF>USD<CCACCTFROM><ACCTID>4111111111111111</CCACCTFROM><BANKTRANLIST>
<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20240105<TRNAMT>-10,50<FITID>A<NAME>CAFE &amp; BAR<MEMO></STMTTRN>
<STMTTRN><TRNTYPE>DEBIT<DTPOSTED>20240106<TRNAMT>-3.00<FITID>B<NAME>SHOP<CORRECTFITID>A
<CORRECTACTION>REPLACE</STMTTRN></BANKTRANLIST>
<LEDGERBAL><BALAMT>-250.00<DTASOF>20240131</LEDGERBAL></CCSTMTRS></CCSTMTTRNRS>
</CREDITCARDMSGSRSV1></OFX>"""


def test_what_is_owed_on_a_card_is_positive() -> None:
    found = read_bytes(CARD)
    assert found.account.type is AccountType.CREDIT
    assert (found.account.current, found.account.mask) == (Decimal(250), "1111")


def test_empty_elements_need_no_end_and_entities_are_read() -> None:
    first = read_bytes(CARD).transactions[0]
    assert (first.description, first.amount) == ("CAFE & BAR", Decimal("10.50"))


def test_camt() -> None:
    found = read("camt/statement.xml")
    assert found.account.iban == "NL91ABNA0417164300"
    assert (found.account.current, found.account.available) == (Decimal("2087.50"), Decimal(2000))
    told = [(one.description, str(one.amount), one.pending) for one in found.transactions]
    assert told == [
        ("Bakery Example Bread", "12.50", False),
        ("SALARY JANUARY", "-2000.00", False),
        ("CARD PAYMENT", "20.00", True),
    ]


def test_mt940() -> None:
    found = read("mt940/abnamro.sta")
    assert found.account.number == "517852257"
    assert len(found.transactions) == 10
    first = found.transactions[0]
    assert (first.amount, first.date, first.currency) == (Decimal(9), dt.date(2011, 5, 24), "EUR")
    assert "KPN - DIGITENNE" in first.description


def test_mt940_tells_no_balance_as_part_of_a_payment() -> None:
    last = read("mt940/ing.sta").transactions[-1]
    assert last.description.endswith("22-07-2010")
    assert last.amount == -1


MT942 = b""":20:STARTDISP
:25:NL91ABNA0417164300
:28C:1/1
:34F:EUR0,
:13D:2401311200+0100
:61:2401310131D12,50NTRFNONREF//B1
:86:/TRTP/SEPA/NAME/BAKERY EXAMPLE/REMI/BREAD AND
 BUTTER/EREF/X
:61:2401310131RD5,00NTRFNONREF//B2
:86:166?00REFUND?10931?20RETURN OF GOODS?32SHOP EXAMPLE
:61:2401310131RC7,00NTRFNONREF//B3
:86:TAKEN BACK
:90D:1EUR12,50
-
"""


def test_mt942_with_reversals_and_codes() -> None:
    found = read_bytes(MT942)
    assert (found.account.iban, found.account.currency) == ("NL91ABNA0417164300", "EUR")
    assert [(one.description, one.amount) for one in found.transactions] == [
        ("BAKERY EXAMPLE BREAD AND BUTTER", Decimal("12.50")),
        ("SHOP EXAMPLE RETURN OF GOODS", Decimal(-5)),
        ("TAKEN BACK", Decimal(7)),
    ]


def test_csv_as_declared() -> None:
    found = read("csv/bank.csv", BANK_MAPPING)
    assert amounts(found.transactions) == ["4.75", "4.75", "-2000.00"]
    assert found.account.current == Decimal("3990.50")


def test_csv_without_a_doubt_needs_no_mapping() -> None:
    found = read("csv/european.csv")
    assert amounts(found.transactions) == ["3.20", "-1000.00"]
    assert found.transactions[0].description == "BÄCKEREI MÜLLER"
    assert (found.account.currency, found.account.current) == ("EUR", Decimal("1096.80"))
    found = read("csv/two_columns.csv")
    assert amounts(found.transactions) == ["80.00", "-1500.00"]
    assert found.account.currency == "GBP"


def test_csv_with_a_doubt_needs_one() -> None:
    with pytest.raises(FileRefused, match="does not tell the currency"):
        read("csv/bank.csv")
    rows = b"Date,Description,Amount (GBP)\n01/02/2024,A,-1\n03/04/2024,B,2\n"
    with pytest.raises(FileRefused, match="DD/MM/YYYY"):
        read_bytes(rows)


def test_a_guess_is_a_mapping_to_correct() -> None:
    with (FILES / "csv" / "bank.csv").open("rb") as file:
        guess = guess_mapping(file)
    guess.mapping.currency_code = "USD"
    assert read_mapping(write_mapping(guess.mapping)) == BANK_MAPPING


def test_balances_tell_the_sign() -> None:
    """Here payments are positive, and the newest transaction comes first."""
    rows = b"Date,Description,Amount (USD),Balance\n2024-01-31,C,-50,940\n2024-01-30,B,10,890\n"
    found = read_bytes(rows + b"2024-01-13,A,100,900\n")
    assert amounts(found.transactions) == ["-50", "10", "100"]
    assert found.account.current == 940


def test_columns_have_numbers_without_headings() -> None:
    mapping = read_mapping(
        b'{"date": "1", "description": ["3", "4"], "debit": "2", "has_headings": false,'
        b' "delimiter": "\\t", "currency_code": "CAD", "account": {"name": "Visa",'
        b' "type": "credit"}}'
    )
    found = read_bytes(b"2024-01-31\t5.00\tCAFE\tTORONTO\n", mapping)
    assert found.transactions[0].description == "CAFE TORONTO"
    assert found.account.subtype is AccountSubtype.CREDIT_CARD
