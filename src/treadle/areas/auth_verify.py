"""A check of account numbers against what is known of other accounts."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from treadle.call import ClientCall
from treadle.gates import ClientGate
from treadle.http import errors
from treadle.operations import operation
from treadle.sources.sandbox.custom.bank_numbers import is_routing_number
from treadle.wire.auth import AuthVerifyNumbersACH, AuthVerifyRequest, AuthVerifyResponse
from treadle.wire.common import (
    AccountBaseVerificationStatus,
    AccountVerificationInsights,
    AccountVerificationInsightsAccountNumberFormat,
    AccountVerificationInsightsNetworkStatus,
)

# The sandbox's documented test numbers, and the name that fits the account that is known.
_KNOWN_ACCOUNT = "1111222233331111"
_LIKELY_ACCOUNT = "1111222233333333"
_KNOWN_OWNER = "John Smith"


@operation("/auth/verify", gate=ClientGate())
async def auth_verify(call: ClientCall, request: AuthVerifyRequest) -> AuthVerifyResponse:
    """Makes no Item, as nothing in the answer could ever open it."""
    if not call.services.settings.sandbox:
        # Only the sandbox has accounts to compare with.
        raise errors.UNAUTHORIZED_PRODUCTS(products='["auth"]')
    status = _status(request.numbers.ach)
    known = status is AccountBaseVerificationStatus.DATABASE_INSIGHTS_PASS
    return AuthVerifyResponse(
        item_id=None,
        verification_status=status,
        verification_insights=AccountVerificationInsights(
            name_match_score=_name_score(request.legal_name) if known else UNSET,
            network_status=AccountVerificationInsightsNetworkStatus(
                has_numbers_match=known, is_numbers_match_verified=known
            ),
            account_number_format=_format(request.numbers.ach),
        ),
        request_id=call.request_id,
    )


def _status(ach: AuthVerifyNumbersACH) -> AccountBaseVerificationStatus:
    if is_routing_number(ach.routing):
        if ach.account == _KNOWN_ACCOUNT:
            return AccountBaseVerificationStatus.DATABASE_INSIGHTS_PASS
        if ach.account == _LIKELY_ACCOUNT:
            return AccountBaseVerificationStatus.DATABASE_INSIGHTS_PASS_WITH_CAUTION
    return AccountBaseVerificationStatus.DATABASE_INSIGHTS_FAIL


def _format(ach: AuthVerifyNumbersACH) -> AccountVerificationInsightsAccountNumberFormat:
    """Without a bank, nothing can be said of how its account numbers look."""
    if not is_routing_number(ach.routing):
        return AccountVerificationInsightsAccountNumberFormat.UNKNOWN
    if ach.account in (_KNOWN_ACCOUNT, _LIKELY_ACCOUNT):
        return AccountVerificationInsightsAccountNumberFormat.VALID
    return AccountVerificationInsightsAccountNumberFormat.INVALID


def _name_score(legal_name: str | None) -> int | UnsetType:
    if not legal_name:
        return UNSET
    # What compares names takes a while to import.
    from treadle.matching.names import score

    return score(legal_name, _KNOWN_OWNER).score
