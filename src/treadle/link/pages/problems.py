"""What went wrong, in words for the user: the API's own where it has some."""

from __future__ import annotations

from treadle.link.pages.words import Say
from treadle.link.panes import Problem

_WORDS = {
    "INSTITUTION_DOWN": "This bank does not answer at the moment. Please try again later.",
    "INSTITUTION_NOT_RESPONDING": "This bank does not answer at the moment. "
    "Please try again later.",
    "INSTITUTION_NOT_AVAILABLE": "This bank does not answer at the moment. Please try again later.",
    "INSTITUTION_NO_LONGER_SUPPORTED": "This bank cannot be connected any more.",
    "PRODUCTS_NOT_SUPPORTED": "This bank does not offer what the app needs.",
    "NO_ACCOUNTS": "This login has no account that can be connected.",
    "ITEM_LOCKED": "Your bank has locked this login. Unlock it with your bank, then try again.",
    "INVALID_MFA": "The answer was not correct. Please try again.",
    "INVALID_FIELD": "Something in what you entered is not right. Please try again.",
}
_OTHERWISE = "That did not work. Please try again."


def shown_problem(problem: Problem | None, say: Say) -> str | None:
    if problem is None:
        return None
    return say(problem.display_message or _WORDS.get(problem.error_code, _OTHERWISE))
