"""Statements in files, read into accounts, transactions and holdings."""
