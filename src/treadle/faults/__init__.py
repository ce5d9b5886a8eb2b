"""Faults: what a sandbox client wants to go wrong with its calls and its webhooks."""
