"""How well what an app knows of a person agrees with what the bank knows of an owner.

Each module scores one kind of value from 0 to 100. From `THRESHOLD` on, two values are taken to
mean the same; what each score is made of stands in `docs/identity-match.md`.
"""

THRESHOLD = 70
# Of a longer value on file, the rest is not compared; an app may not submit one.
MAX_LENGTH = 500
