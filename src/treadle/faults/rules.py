"""What a fault is, and what it is for. Pure functions; nothing here strikes."""

from __future__ import annotations

import enum
from collections.abc import Collection

import msgspec


class Effect(enum.StrEnum):
    ERROR = "error"
    RATE_LIMIT = "rate_limit"
    DROP = "drop"
    LATENCY = "latency"
    # These happen to the Item once the call has been answered.
    CORRECT_TRANSACTION = "correct_transaction"
    REPLACE_TRANSACTION = "replace_transaction"
    REMOVE_ITEM = "remove_item"
    WEBHOOK_DELAY = "webhook_delay"
    WEBHOOK_DUPLICATE = "webhook_duplicate"
    WEBHOOK_REORDER = "webhook_reorder"
    WEBHOOK_WITHHOLD = "webhook_withhold"
    WEBHOOK_NEW_KEY = "webhook_new_key"

    @property
    def acts(self) -> bool:
        """Whether it does something to the Item that a call was about."""
        return self in (self.CORRECT_TRANSACTION, self.REPLACE_TRANSACTION, self.REMOVE_ITEM)

    @property
    def on_webhooks(self) -> bool:
        return self.value.startswith("webhook_")


class Moment(enum.StrEnum):
    """Before the call has any effect, or once its effect is kept and its answer is to be sent."""

    BEFORE = "before"
    AFTER = "after"


class Rule(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One fault as it is stored: what it is for, what it does, and how often.

    What it is for must hold in all that it names; a rule that names nothing is for everything.
    """

    effect: Effect
    when: Moment = Moment.BEFORE
    path: str | None = None
    item_id: str | None = None
    institution_id: str | None = None
    # The digest of a token that the call must bring, in hexadecimal; the token is not kept.
    token_digest: str | None = None
    webhook_code: str | None = None
    error_type: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    seconds: float = 0.0
    # How often it strikes before it is gone; None for ever.
    times: int | None = None
    probability: float = 1.0

    def is_for(self, subject: Subject) -> bool:
        return (
            self.effect.on_webhooks == subject.is_webhook
            and (subject.is_webhook or self.when is subject.moment)
            and self.path in (None, subject.path)
            and self.item_id in (None, subject.item_id)
            and self.institution_id in (None, subject.institution_id)
            and self.webhook_code in (None, subject.webhook_code)
            and (self.token_digest is None or self.token_digest in subject.token_digests)
        )


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A call at one of its moments, or a webhook."""

    moment: Moment = Moment.BEFORE
    is_webhook: bool = False
    path: str | None = None
    item_id: str | None = None
    institution_id: str | None = None
    webhook_code: str | None = None
    token_digests: Collection[str] = ()


class Fault(msgspec.Struct):
    """A rule with the account of what it has done."""

    fault_id: str
    rule_json: str
    seen: int
    hits: int
    created_at: int

    @property
    def rule(self) -> Rule:
        return _decode(self.rule_json)


_decode = msgspec.json.Decoder(Rule).decode
