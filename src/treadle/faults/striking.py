"""Faults strike: which of a client's faults meets a call or a webhook, and what it does to a call.

A client without faults never comes here, since its row says so. What is decided is written down
before it happens, so that a fault that strikes twice strikes twice, whatever worker is asked.
"""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

import msgspec

from treadle.call import ClientCall, Services
from treadle.clients import CLIENT, Owner
from treadle.faults import rows
from treadle.faults.acts import act
from treadle.faults.documented import documented_error, rate_limit_code
from treadle.faults.rules import Effect, Fault, Moment, Rule, Subject
from treadle.http import errors
from treadle.recording.exchange import Exchange
from treadle.store.change import Change, GuardFailed
from treadle.webhooks.outbox import Owed

# How often a decision is made anew because another worker counted first.
_ATTEMPTS = 50


# What stands in place of an error code where there was no answer.
DROPPED = "CONNECTION_DROPPED"


class _Named(msgspec.Struct):
    webhook_code: str | None = None


_decode_named = msgspec.json.Decoder(_Named).decode


class Dropped(Exception):
    """The connection is to be closed without an answer."""


class Faults:
    def __init__(self, services: Services) -> None:
        self._services = services
        # In one process the calls of a client decide one after another.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def strike(
        self, call: ClientCall, request: msgspec.Struct, moment: Moment, exchange: Exchange
    ) -> None:
        """Do to a call what the first fault that strikes says.

        Raises ApiError or Dropped when that is what it says.
        """
        reached = call.reached
        subject = Subject(
            moment=moment,
            path=exchange.path,
            item_id=reached.item_id,
            institution_id=reached.institution_id or getattr(request, "institution_id", None),
            token_digests=self._token_digests(request),
        )
        fault = await self.decide(call.client, subject)
        if fault is None:
            return
        rule = fault.rule
        exchange.fault_id = fault.fault_id
        if rule.seconds:
            await asyncio.sleep(rule.seconds)
        if rule.effect.acts:
            await act(rule.effect, call)
        match rule.effect:
            case Effect.DROP:
                raise Dropped
            case Effect.ERROR | Effect.RATE_LIMIT:
                raise _error(rule, exchange.path)

    async def of_webhook(self, owed: Owed) -> Fault | None:
        """The fault that strikes a webhook which is to be sent for the first time."""
        if owed.attempts or owed.fault_id is not None or not self._services.settings.sandbox:
            return None
        client = await self._services.store.first(CLIENT, client_id=owed.client_id)
        if client is None or not client.faults:
            return None
        code = _decode_named(owed.body).webhook_code
        return await self.decide(
            client, Subject(is_webhook=True, item_id=owed.item_id, webhook_code=code)
        )

    async def decide(self, owner: Owner, subject: Subject) -> Fault | None:
        """The first fault of a client that strikes a subject, counted and kept."""
        client_id = owner.client_id
        async with self._turns.setdefault(client_id, asyncio.Lock()):
            for _ in range(_ATTEMPTS):
                change = Change()
                struck = None
                for fault in await self._services.store.all(rows.FAULTS, client_id=client_id):
                    if fault.rule.is_for(subject):
                        hit = self._draws(owner, fault)
                        rows.count_use(change, client_id, fault, hit=hit)
                        if hit:
                            struck = fault
                            break
                try:
                    if change:
                        await self._services.store.commit(change)
                except GuardFailed:
                    continue
                return struck
        raise errors.RATE_LIMIT()

    def _draws(self, owner: Owner, fault: Fault) -> bool:
        """Whether a fault strikes this time; from the client's seed where it has one."""
        probability = fault.rule.probability
        if probability >= 1.0:
            return True
        draws = self._services.worlds.draws(owner, fault.seen)
        number = int.from_bytes(draws.bytes(f"fault:{fault.fault_id}", 6))
        return number < probability * (1 << 48)

    def _token_digests(self, request: msgspec.Struct) -> list[str]:
        digests = self._services.keys.digests
        return [
            digest.hex()
            for name in request.__struct_fields__
            if name.endswith("_token") and isinstance(text := getattr(request, name), str)
            for digest in digests(text)
        ]


def _error(rule: Rule, path: str) -> errors.ApiError:
    code = rate_limit_code(path) if rule.effect is Effect.RATE_LIMIT else rule.error_code
    kind = documented_error(code or "", rule.error_type)
    if kind is None:
        return errors.INTERNAL_SERVER_ERROR()
    return errors.ApiError(kind, rule.error_message or kind.message)
