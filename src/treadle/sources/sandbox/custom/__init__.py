"""Custom users: logins of the sandbox whose password describes the bank data in JSON."""
