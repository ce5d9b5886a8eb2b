"""Shows on the documentation's site which code no test runs.

In the source a comment says so, and why; here it becomes a note under the reader's eyes.
"""

from __future__ import annotations

import re

from markdown import Markdown
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor

_MARK = re.compile(r"<!-- not run: (.+) -->")


class NotRun(Preprocessor):
    def run(self, lines: list[str]) -> list[str]:
        shown: list[str] = []
        for line in lines:
            mark = _MARK.fullmatch(line)
            shown += [f"*No test runs this: {mark[1]}.*", ""] if mark else [line]
        return shown


class Marks(Extension):
    def extendMarkdown(self, md: Markdown) -> None:
        # Before fences are taken out, which have the priority 25.
        md.preprocessors.register(NotRun(md), "not-run", 40)


def makeExtension() -> Marks:
    return Marks()
