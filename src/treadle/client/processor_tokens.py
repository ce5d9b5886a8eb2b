"""What the client that minted processor tokens can see and do of them beyond the API."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from treadle.client.connection import Group
from treadle.control.delegation_answers import (
    TokenExplainResponse,
    TokenGivenBackResponse,
    TokenIntrospectResponse,
    TokenLeaksReportResponse,
    TokenLimitsResponse,
    TokenListResponse,
    TokenPageCreateResponse,
    TokenRevokeResponse,
)

# In a test that fails, pytest shows the line that called and none of these.
__tracebackhide__ = True


class ProcessorTokens(Group):
    """A token is named by its text or by its handle, `token_id`: one of the two."""

    def list(
        self,
        *,
        item_id: str | None = None,
        processor: str | None = None,
        count: int = 100,
        cursor: str | None = None,
    ) -> TokenListResponse:
        """The tokens that this client has made, the oldest first."""
        return self._connection.order(
            "/treadle/processor_token/list",
            TokenListResponse,
            item_id=item_id,
            processor=processor,
            count=count,
            cursor=cursor,
        )

    def revoke(
        self,
        *,
        processor_token: str | None = None,
        token_id: str | None = None,
        processor: str | None = None,
        item_id: str | None = None,
        notify: bool = False,
        taken_back: bool = False,
    ) -> TokenRevokeResponse:
        """End one token, all of a processor or all of an Item, at once and for good."""
        return self._connection.order(
            "/treadle/processor_token/revoke",
            TokenRevokeResponse,
            processor_token=processor_token,
            token_id=token_id,
            processor=processor,
            item_id=item_id,
            notify=notify,
            taken_back=taken_back,
        )

    def limits(
        self, *, processor_token: str | None = None, token_id: str | None = None
    ) -> TokenLimitsResponse:
        """What a token is limited to."""
        return self._connection.order(
            "/treadle/processor_token/limits/get",
            TokenLimitsResponse,
            processor_token=processor_token,
            token_id=token_id,
        )

    def narrow(
        self,
        *,
        processor_token: str | None = None,
        token_id: str | None = None,
        expires_at: dt.datetime | None = None,
        calls: int | None = None,
        transactions_from: dt.date | None = None,
        fields: Sequence[str] | None = None,
    ) -> TokenLimitsResponse:
        """Limit a token further; nothing widens it again."""
        return self._connection.order(
            "/treadle/processor_token/limits/set",
            TokenLimitsResponse,
            processor_token=processor_token,
            token_id=token_id,
            expires_at=expires_at,
            calls=calls,
            transactions_from=transactions_from,
            fields=fields,
        )

    def explain(
        self,
        *,
        operation: str,
        processor_token: str | None = None,
        token_id: str | None = None,
        partner_client_id: str | None = None,
        at: dt.datetime | None = None,
        change: Mapping[str, Any] | None = None,
    ) -> TokenExplainResponse:
        """Whether a partner is answered, and why: now, at another time, or after a change."""
        return self._connection.order(
            "/treadle/processor_token/explain",
            TokenExplainResponse,
            processor_token=processor_token,
            token_id=token_id,
            operation=operation,
            partner_client_id=partner_client_id,
            at=at,
            change=change,
        )

    def introspect(self, token: str) -> TokenIntrospectResponse:
        """Whether a token can be used by this client, which minted it or is a partner for it."""
        return self._connection.order(
            "/treadle/processor_token/introspect", TokenIntrospectResponse, token=token
        )

    def give_back(self, processor_token: str) -> None:
        """End a token that this client holds as a partner."""
        self._connection.order(
            "/treadle/processor_token/give_back",
            TokenGivenBackResponse,
            processor_token=processor_token,
        )

    def report_leaks(
        self, text: str, *, rotate_access_tokens: bool = False
    ) -> TokenLeaksReportResponse:
        """Find this client's tokens in a text and end them; access tokens only when asked to."""
        return self._connection.order(
            "/treadle/processor_token/leaks/report",
            TokenLeaksReportResponse,
            text=text,
            rotate_access_tokens=rotate_access_tokens,
        )

    def create_page(self, access_tokens: Sequence[str]) -> TokenPageCreateResponse:
        """A link that one user opens once, to see and take back what partners hold."""
        return self._connection.order(
            "/treadle/processor_token/page/create",
            TokenPageCreateResponse,
            access_tokens=access_tokens,
        )
