"""For tests of apps: a client of their own on a sandbox server, and a receiver of webhooks."""

from treadle.testing.sandbox import Item, Sandbox

__all__ = ["Item", "Sandbox"]
