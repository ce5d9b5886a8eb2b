"""A session of Link: its steps are decided by the state machine, and carried out here.

All that a step changes goes into the call's Change, guarded by the session's revision: of two steps
at the same time one comes first, and the other is decided anew on what that left.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from treadle.call import ClientCall
from treadle.http.errors import INVALID_FIELD, INVALID_LINK_TOKEN, ApiError
from treadle.link import machine, rows
from treadle.link.actions import UserAction
from treadle.link.adding import add_item_of
from treadle.link.notifying import tell_in_case_it_is_left, tell_of_end, tell_of_item
from treadle.link.refusals import LINK_ACTION_NOT_OFFERED, OAUTH_STATE_ID_ALREADY_PROCESSED
from treadle.link.repairing import (
    keep_verdict,
    renewed_secret,
    repair_item,
    result_of_deposit,
    shared_accounts,
)
from treadle.link.rows import LinkToken, SessionRow
from treadle.link.setup import Setup
from treadle.link.state import Deposit, State
from treadle.link.step import (
    Asked,
    BankNews,
    Effect,
    IssueOauthState,
    ItemKept,
    KeepItem,
    KeepVerdict,
    LoggedIn,
    LogIn,
    NotOffered,
    OauthIssued,
    Refused,
    Step,
    VerdictKept,
    problem_of,
)
from treadle.sources.source import MalformedPassword


class Session:
    def __init__(self, call: ClientCall, token: LinkToken, row: SessionRow | None) -> None:
        """A session that is stored or, without a row, one that is about to begin."""
        keys = call.services.keys
        self._call = call
        self.token = token
        self.setup: Setup = token.setup(keys)
        self._row = row
        self.session_id = call.ids.uuid("link_session") if row is None else row.session_id
        self.started_at = call.now if row is None else row.started_at
        self.finished_at = None if row is None else row.finished_at
        self.state: State = State() if row is None else row.state(keys)
        # The secret by which a frame names the session; known to it alone once it has begun.
        self.key: str | None = None
        self._key_digest = b"" if row is None else row.key_digest
        if row is None:
            self.renew_key()
        # The public tokens by their place among the Items that were added.
        self.public_tokens: dict[int, str] = {}

    def renew_key(self) -> None:
        self.key = self._call.ids.bytes("link_session_key", 32).hex()
        self._key_digest = self._call.services.keys.digest(self.key)

    @property
    def finished(self) -> bool:
        return self.state.ending is not None

    async def step(self) -> Step:
        return Step(self.setup, await self._call.catalogue(), self.state)

    async def begin(self, *, redirects: bool, embedded: bool) -> None:
        """Open Link. Raises ApiError when the Item to be repaired is gone."""
        self.state.redirects = redirects
        self.state.consents_late = embedded and self.setup.update is None
        if self.setup.update is not None:
            accounts = await shared_accounts(self._call, self.setup.update)
            self.state.shared = [account.position for account in accounts]
            if not self.setup.update.institution_id:
                self.state.deposit = Deposit(accounts[0].account_id, accounts[0].data)
        step = await self.step()
        machine.open_link(step)
        await self._carry_out(step)

    async def act(self, action: UserAction) -> None:
        """What the user does. Raises ApiError when the pane does not offer it."""
        step = await self.step()
        try:
            machine.act(step, action)
            await self._carry_out(step)
        except NotOffered as refusal:
            raise _refused(refusal) from None

    async def hear(self, news: BankNews) -> None:
        """What becomes of a visit to a bank's page. Raises ApiError when there is none."""
        step = await self.step()
        try:
            machine.handle(step, news)
        except NotOffered as refusal:
            if refusal.problem is None:
                raise OAUTH_STATE_ID_ALREADY_PROCESSED() from None
            raise _refused(refusal) from None
        await self._carry_out(step)

    async def _carry_out(self, step: Step) -> None:
        while step.effect is not None:
            effect, step.effect = step.effect, None
            machine.handle(step, await self._perform(step, effect))
        call = self._call
        self.state.log.add(step.told, call.now, call.ids, call.request_id)
        if self.state.ending is not None:
            self.state.ending.request_id = call.request_id
            self.finished_at = call.now
            call.record(
                "link_session.finish",
                detail={"link_session_id": self.session_id, "success": self.state.ending.success},
            )
            await self.read_public_tokens()
            tell_of_end(call, self)

    async def _perform(self, step: Step, effect: Effect) -> object:
        match effect:
            case LogIn():
                return await self._log_in(step, effect)
            case IssueOauthState():
                state_id = self._call.ids.uuid("oauth_state")
                return OauthIssued(state_id, bank_page(step.institution.institution_id, state_id))
            case KeepItem():
                position = len(self.state.added)
                self.public_tokens[position] = await self._keep_item(step)
                tell_of_item(self._call, self, self.public_tokens[position])
                return ItemKept(effect.another)
            case KeepVerdict():
                update, deposit = self.setup.update, self.state.deposit
                if update is not None and deposit is not None:
                    await keep_verdict(self._call, update, deposit, right=effect.right)
                return VerdictKept()

    async def _keep_item(self, step: Step) -> str:
        if self.state.deposit is not None:
            return result_of_deposit(self._call, step, self.session_id, self.state.deposit)
        if self.setup.update is not None:
            return await repair_item(self._call, step, self.session_id, self.setup.update)
        return add_item_of(self._call, step, self.session_id)

    async def _log_in(self, step: Step, effect: LogIn) -> LoggedIn | Asked | Refused:
        institution, login = effect.institution, effect.login
        source = step.catalogue.source_of(institution)
        try:
            challenge = await source.challenge(
                institution, login.username, login.password, login.answers
            )
            if challenge is not None:
                return Asked(challenge)
            seed = self._call.ids.identifier("seed")
            given = await source.log_in(
                institution, login.username, login.password, self._call.now, seed=seed
            )
            if self.setup.update is not None:
                given.secret = await renewed_secret(self._call, self.setup.update, given)
        except ApiError as error:
            return Refused(problem_of(error))
        except MalformedPassword as malformed:
            return Refused(problem_of(INVALID_FIELD(problem=f"password {malformed}")))
        return LoggedIn(given)

    def keep(self) -> None:
        """Add the session as it stands now to the call's Change."""
        tell_in_case_it_is_left(self._call, self)
        call, keys = self._call, self._call.services.keys
        oauth = self.state.oauth
        changing: dict[str, Any] = {
            "state": rows.seal_state(keys, self.session_id, self.state),
            "key_digest": self._key_digest,
            "oauth_digest": None if oauth is None else keys.digest(oauth.state_id),
            "finished_at": self.finished_at,
        }
        if self._row is not None:
            call.change.write(
                rows.MOVE_SESSION,
                the_session_id=self.session_id,
                the_client_id=call.client.client_id,
                seen_revision=self._row.revision,
                **changing,
            )
        else:
            call.change.write(
                rows.INSERT_SESSION,
                session_id=self.session_id,
                client_id=call.client.client_id,
                token_id=self.token.token_id,
                started_at=self.started_at,
                revision=0,
                **changing,
            )

    def public_token(self, position: int) -> str:
        """The public token of an Item that was added, or one that nobody has once it is over."""
        return self.public_tokens.get(position) or over_token(self._call.environment)

    async def read_public_tokens(self) -> None:
        """Find the public tokens that earlier steps made and that still live."""
        call = self._call
        found = await call.all(
            rows.RESULTS_OF_SESSION,
            session_id=self.session_id,
            client_id=call.client.client_id,
            now=call.now,
        )
        for position, sealed in found:
            place = rows.result_place(self.session_id, position)
            text = call.services.keys.unseal(sealed, place).decode()
            self.public_tokens.setdefault(position, text)


def bank_page(institution_id: str, state_id: str) -> str:
    """Where a bank's own page is, on this server."""
    return f"/link/oauth/{quote(institution_id)}?oauth_state_id={quote(state_id)}"


def over_token(environment: str) -> str:
    """What stands for a public token whose text is no longer kept: it opens nothing either."""
    return f"public-{environment}-00000000-0000-4000-8000-000000000000"


def _refused(refusal: NotOffered) -> ApiError:
    if refusal.problem is None:
        return LINK_ACTION_NOT_OFFERED()
    return INVALID_FIELD(problem=f"inputs: {refusal.problem}")


async def begin_session(
    call: ClientCall, token: LinkToken, *, redirects: bool = False, embedded: bool = False
) -> Session:
    """Open Link with a link token. Raises ApiError when the token can open it no more."""
    if token.expires_at <= call.now:
        raise INVALID_LINK_TOKEN().because("the link token expired")
    names = {"token_id": token.token_id, "client_id": token.client_id}
    count = await call.first(rows.COUNT_SESSIONS, **names) or 0
    if count >= rows.MOST_SESSIONS:
        raise INVALID_LINK_TOKEN().because("the link token was opened too often")
    if not call.services.settings.sandbox:
        earlier = await call.all(rows.SESSIONS_OF_TOKEN, **names)
        if any(_succeeded(call, row) for row in earlier):
            raise INVALID_LINK_TOKEN().because("the link token was used")
    session = Session(call, token, None)
    await session.begin(redirects=redirects, embedded=embedded)
    call.record("link_session.start", detail={"link_session_id": session.session_id})
    return session


def _succeeded(call: ClientCall, row: SessionRow) -> bool:
    ending = row.state(call.services.keys).ending
    return ending is not None and ending.success
