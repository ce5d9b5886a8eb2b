"""Webhooks: what is owed, who may be reached, how it is signed and delivered."""

from treadle.webhooks.outbox import owe, withdraw

__all__ = ["owe", "withdraw"]
