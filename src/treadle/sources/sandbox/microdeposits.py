"""A login that gives one checking account, whose numbers still await automatic micro-deposits."""

from __future__ import annotations

from datetime import date

from msgspec import structs

from treadle.bank.liability import Liability
from treadle.bank.model import Institution, SourceAccount
from treadle.http.errors import FORCED
from treadle.sources.sandbox.user import SandboxUser
from treadle.sources.source import InvestmentsPicture, Reading, TransactionsPicture
from treadle.wire.common import AccountBaseVerificationStatus


class MicrodepositsUser:
    """Another user's first account, before it is verified."""

    def __init__(self, base: SandboxUser) -> None:
        self._base = base

    def accounts(self, institution: Institution, today: date) -> list[SourceAccount]:
        """Raises ApiError where the bank has no automatic micro-deposits."""
        methods = institution.auth_metadata and institution.auth_metadata.supported_methods
        if not methods or not methods.automated_micro_deposits:
            raise FORCED["INVALID_CREDENTIALS"]()
        first = self._base.accounts(institution, today)[0]
        pending = AccountBaseVerificationStatus.PENDING_AUTOMATIC_VERIFICATION
        return [
            structs.replace(first, data=structs.replace(first.data, verification_status=pending))
        ]

    def transactions(self, reading: Reading) -> TransactionsPicture:
        return TransactionsPicture([])

    def investments(self, reading: Reading) -> InvestmentsPicture:
        return self._base.investments(reading)

    def liabilities(self, reading: Reading) -> dict[str, Liability]:
        return {}
