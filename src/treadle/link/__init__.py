"""Link: one state machine on the server, which everything that tells of a session reads."""
