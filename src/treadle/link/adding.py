"""What a session leaves behind: an Item, and the public token that tells of it."""

from __future__ import annotations

from treadle.bank.linking import add_item
from treadle.bank.model import AccountData
from treadle.call import ClientCall
from treadle.link import rows
from treadle.link.state import Added, SharedAccount
from treadle.link.step import Step
from treadle.sources.source import Login
from treadle.tokens.minting import mint_public


def add_item_of(call: ClientCall, step: Step, session_id: str) -> str:
    """Add the Item of the session's login to the call's Change; answers its public token."""
    setup, login = step.setup, step.login
    institution = step.catalogue.find(step.state.institution_id or "")
    chosen = [login.accounts[place].data for place in login.chosen]
    linked = add_item(
        call,
        step.catalogue,
        institution,
        Login(login.accounts, login.secret),
        setup.products_at(institution, chosen) if institution else setup.products,
        chosen=login.chosen,
        webhook=setup.webhook,
        options=setup.item_options,
        days_requested=setup.days_requested,
    )
    added = Added(
        linked.item_id,
        step.state.institution_id,
        step.state.institution_name,
        [shared_account(account_id, account.data) for account_id, account in linked.accounts],
    )
    return keep_result(call, step, session_id, added)


def keep_result(call: ClientCall, step: Step, session_id: str, added: Added) -> str:
    """Mint the public token of an Item, and keep its text for as long as it lives."""
    public_token, expires_at = mint_public(call, added.item_id)
    position = len(step.state.added)
    step.state.added.append(added)
    call.change.write(
        rows.INSERT_RESULT,
        session_id=session_id,
        position=position,
        client_id=call.client.client_id,
        public_token=call.services.keys.seal(
            public_token.encode(), rows.result_place(session_id, position)
        ),
        expires_at=expires_at,
    )
    return public_token


def shared_account(account_id: str, data: AccountData) -> SharedAccount:
    return SharedAccount(
        id=account_id,
        name=data.official_name or data.name,
        mask=data.mask,
        type=data.type,
        subtype=data.subtype,
        verification_status=data.verification_status,
        class_type=None,
    )
