"""Reading the audit chains: are they whole, and what do they say?"""
