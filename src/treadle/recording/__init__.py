"""The last requests of each sandbox client and what they were answered, without its secrets."""
