"""Calls to the partners that a processor token can be made for."""
