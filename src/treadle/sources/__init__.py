"""Where bank data comes from."""
