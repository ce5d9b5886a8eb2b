"""A session's pane as HTML. What a pane holds decides all of it; nothing here knows the flow."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from treadle.link.pages.drawing import badge_color, initials, ink_on, short
from treadle.link.pages.problems import shown_problem
from treadle.link.pages.words import words
from treadle.link.panes import Pane
from treadle.link.protocol import About, BankPage
from treadle.link.step import view_of

if TYPE_CHECKING:
    from jinja2 import Environment

_DRAWING = {"badge_color": badge_color, "initials": initials, "ink_on": ink_on, "short": short}

# How far along a user is, of `_STAGES`.
_STAGES = 4
_STAGE = {
    "CONSENT": 1,
    "VERIFY_PHONE": 1,
    "SELECT_AUTH_TYPE": 1,
    "SELECT_SAVED_INSTITUTION": 2,
    "SELECT_INSTITUTION": 2,
    "SELECT_BRAND": 2,
    "SELECT_ACCOUNT": 4,
    "CONNECTED": 4,
}
_IN_BETWEEN = 3


@cache
def _templates() -> Environment:
    """Made for the first pane: Jinja2 takes a while to import."""
    from treadle.pages.templates import templates

    environment = templates(Path(__file__).parent / "templates")
    environment.globals |= _DRAWING
    return environment


def page(name: str, *, static: str) -> str:
    """A document that a script fills; `static` is where it loads its style and that script from."""
    return _templates().get_template(f"{name}.html").render(static=static, say=words("en"))


def pane_html(pane: Pane, about: About, *, guest: bool) -> str:
    """`guest`: whether the user was asked for a phone number and went on without it."""
    view, say = view_of(pane), words(about.language)
    return (
        _templates()
        .get_template(f"panes/{view.lower()}.html")
        .render(
            pane=pane,
            view=view,
            about=about,
            guest=guest,
            say=say,
            problem=shown_problem(pane.problem, say),
            stage=_STAGE.get(view, _IN_BETWEEN),
            stages=_STAGES,
        )
    )


def bank_html(bank: BankPage) -> str:
    """What the page of a bank shows, one part after the other."""
    return _templates().get_template("bank_parts.html").render(bank=bank, say=words(bank.language))
