"""How likely a debit is to come back: what scores follow from, rulesets, and the days to try."""
