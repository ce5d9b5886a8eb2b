"""Whether what is asked of the database now is urgent, so that it may use what is kept free."""

from __future__ import annotations

from contextvars import ContextVar

URGENT: ContextVar[bool] = ContextVar("URGENT", default=False)
