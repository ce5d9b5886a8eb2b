"""What the sandbox's banks ask a user before they let in, as the password says."""

from __future__ import annotations

import re

from treadle.http.errors import FORCED
from treadle.sources.source import Challenge, Prompt

# The documented answers.
CODE = "1234"
_YES = "Yes"

_DEVICES = ("Text message to •••• 0010", "Email to u•••@example.com")
_PASSWORD = re.compile(
    r"mfa_(?:(?P<device>device)"
    r"|questions_(?P<question_rounds>[1-9])_(?P<questions>[1-9])"
    r"|(?P<selection>selections)"
    r"(?:_(?P<selection_rounds>[1-9])_(?P<selections>[1-9])_(?P<options>[1-9]))?)"
)


class Questioning:
    """All that one user is asked, round by round, and the answer to each."""

    def __init__(self, rounds: list[Challenge], answers: list[list[str]]) -> None:
        self._rounds = rounds
        self._answers = answers

    def after(self, given: list[list[str]]) -> Challenge | None:
        """What is asked after so many rounds; None when there is nothing more.

        Raises ApiError when the last answers are wrong.
        """
        if given:
            asked = self._rounds[len(given) - 1]
            wanted = self._answers[len(given) - 1]
            if asked.mfa_type == "device":
                if given[-1][0] not in asked.prompts[0].choices:
                    raise FORCED["INVALID_SEND_METHOD"]()
            elif given[-1] != wanted:
                raise FORCED["INVALID_MFA"]()
        return self._rounds[len(given)] if len(given) < len(self._rounds) else None


def questioning(password: str) -> Questioning | None:
    """What a password makes a bank ask; None when it is let in at once."""
    found = _PASSWORD.fullmatch(password)
    if found is None:
        return None
    if found["device"]:
        return devices()
    if found["selection"]:
        counts = [int(found[name] or 1) for name in ("selection_rounds", "selections")]
        return selections(*counts, options=int(found["options"] or 0))
    return questions(int(found["question_rounds"]), int(found["questions"]))


def devices() -> Questioning:
    """A list of devices, then the code that was sent to the one chosen."""
    where = Prompt("Where should the code be sent?", list(_DEVICES))
    code = Prompt("Code that was sent to you", [])
    return Questioning(
        [Challenge("device", [where]), Challenge("code", [code])], [[_DEVICES[0]], [CODE]]
    )


def questions(rounds: int, count: int) -> Questioning:
    """The answer to question j of round i, both counted from zero, is `answer_i_j`."""
    answers = [[f"answer_{i}_{j}" for j in range(count)] for i in range(rounds)]
    asked = [
        [Prompt(f"Security question {j + 1} (the answer is {answer})", []) for j, answer in row]
        for row in map(enumerate, answers)
    ]
    return Questioning([Challenge("questions", prompts) for prompts in asked], answers)


def selections(rounds: int, count: int, *, options: int = 0) -> Questioning:
    """The first option is always the right one; without a number of options that is `Yes`."""
    choices = [f"Option {number}" for number in range(1, options + 1)] or [_YES, "No"]
    prompts = [Prompt(f"Selection {number}", choices) for number in range(1, count + 1)]
    return Questioning([Challenge("selections", prompts)] * rounds, [[choices[0]] * count] * rounds)


def documented_answer(mfa_type: str, round_: int, place: int, choices: list[str]) -> str:
    """The right answer, for a test that has none of its own."""
    if choices:
        return choices[0]
    return CODE if mfa_type == "code" else f"answer_{round_}_{place}"
