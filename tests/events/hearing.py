"""What receivers of webhooks hear, checked by the SDK's own models."""

from __future__ import annotations

import importlib
import json
import re
from typing import Any

import plaid
from plaid.model_utils import validate_and_convert_types

from tests.control.plane import Planned
from tests.support.receiver import Receiver
from tests.support.server import Server
from tests.waking.listening import owed, settle, until

# Which of the SDK's models a webhook is, by what it is about and its name.
MODELS = {
    "account_id": {
        "PROCESSOR_TOKEN:WEBHOOK_UPDATE_ACKNOWLEDGED": "ProcessorTokenWebhookUpdate",
        "TRANSACTIONS:DEFAULT_UPDATE": "ProcessorDefaultUpdateWebhook",
        "TRANSACTIONS:HISTORICAL_UPDATE": "ProcessorHistoricalUpdateWebhook",
        "TRANSACTIONS:INITIAL_UPDATE": "ProcessorInitialUpdateWebhook",
        "TRANSACTIONS:RECURRING_TRANSACTIONS_UPDATE": "ProcessorRecurringTransactionsUpdateWebhook",
        "TRANSACTIONS:SYNC_UPDATES_AVAILABLE": "ProcessorSyncUpdatesAvailableWebhook",
        "TRANSACTIONS:TRANSACTIONS_REMOVED": "ProcessorTransactionsRemovedWebhook",
    },
    "item_id": {
        "AUTH:AUTOMATICALLY_VERIFIED": "AutomaticallyVerifiedWebhook",
        "AUTH:DEFAULT_UPDATE": "AuthDefaultUpdateWebhook",
        "AUTH:SMS_MICRODEPOSITS_VERIFICATION": "HostedMMDVerificationWebhook",
        "AUTH:VERIFICATION_EXPIRED": "VerificationExpiredWebhook",
        "HOLDINGS:DEFAULT_UPDATE": "HoldingsDefaultUpdateWebhook",
        "IDENTITY:DEFAULT_UPDATE": "IdentityDefaultUpdateWebhook",
        "INVESTMENTS_TRANSACTIONS:DEFAULT_UPDATE": "InvestmentsDefaultUpdateWebhook",
        "INVESTMENTS_TRANSACTIONS:HISTORICAL_UPDATE": "InvestmentsHistoricalUpdateWebhook",
        "ITEM:ERROR": "ItemErrorWebhook",
        "ITEM:LOGIN_REPAIRED": "ItemLoginRepairedWebhook",
        "ITEM:NEW_ACCOUNTS_AVAILABLE": "NewAccountsAvailableWebhook",
        "ITEM:PENDING_DISCONNECT": "PendingDisconnectWebhook",
        "ITEM:USER_ACCOUNT_REVOKED": "UserAccountRevokedWebhook",
        "ITEM:USER_PERMISSION_REVOKED": "UserPermissionRevokedWebhook",
        "ITEM:WEBHOOK_UPDATE_ACKNOWLEDGED": "WebhookUpdateAcknowledgedWebhook",
        "LIABILITIES:DEFAULT_UPDATE": "LiabilitiesDefaultUpdateWebhook",
        "TRANSACTIONS:DEFAULT_UPDATE": "DefaultUpdateWebhook",
        "TRANSACTIONS:HISTORICAL_UPDATE": "HistoricalUpdateWebhook",
        "TRANSACTIONS:INITIAL_UPDATE": "InitialUpdateWebhook",
        "TRANSACTIONS:RECURRING_TRANSACTIONS_UPDATE": "RecurringTransactionsUpdateWebhook",
        "TRANSACTIONS:SYNC_UPDATES_AVAILABLE": "SyncUpdatesAvailableWebhook",
        "TRANSACTIONS:TRANSACTIONS_REMOVED": "TransactionsRemovedWebhook",
    },
}

_COMMON = ("webhook_type", "webhook_code", "environment")

Told = dict[str, Any]


def name(told: Told) -> str:
    return f"{told['webhook_type']}:{told['webhook_code']}"


class Ear:
    """One URL of a receiver, that webhooks of one client go to."""

    def __init__(self, server: Server, owner: Planned, receiver: Receiver, path: str) -> None:
        self._server = server
        self._owner = owner
        self._receiver = receiver
        self._seen = 0
        self.url = f"{receiver.url}/{path}"

    def hear(self, *expected: str) -> list[Told]:
        """The webhooks that were owed here since the last time: these, in this order."""
        settle(self._server, self._owner)
        count = sum(row["url"] == self.url for row in owed(self._server, self._owner))
        until(lambda: len(self._bodies()) >= count, f"{count} webhooks came to {self.url}")
        new = [_checked(body) for body in self._bodies()[self._seen :]]
        names = [name(one) for one in new]
        assert names == list(expected), names
        self._seen = count
        return new

    def hear_of(self, expected: str) -> Told:
        """The one webhook since the last time, without what every webhook has."""
        [told] = self.hear(expected)
        return {key: value for key, value in told.items() if key not in _COMMON}

    def _bodies(self) -> list[bytes]:
        received = list(self._receiver.received)
        return [one.body for one in received if self.url.endswith(one.path)]


def _checked(body: bytes) -> Told:
    """Raises when the SDK does not read a webhook as what it is, or does not know a member."""
    told: Told = json.loads(body)
    assert told["environment"] == "sandbox"
    model_name = MODELS["item_id" if "item_id" in told else "account_id"][name(told)]
    module = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", model_name).lower()
    model = getattr(importlib.import_module(f"plaid.model.{module}"), model_name)
    assert told.keys() <= set(model.attribute_map.values())
    configuration = plaid.Configuration(discard_unknown_keys=False)
    # The SDK writes into what it is given.
    given = json.loads(body)
    validate_and_convert_types(given, (model,), [model_name], True, True, configuration)
    return told
