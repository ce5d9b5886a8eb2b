"""Bringing all that is sealed to new keys, counting what needs the former ones, retiring them."""
