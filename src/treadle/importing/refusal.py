"""How a file is refused."""

from __future__ import annotations


class FileRefused(Exception):
    """A file that cannot be imported; says where in it, what is wrong, and what to do."""

    def __init__(
        self, problem: str, advice: str, *, line: int | None = None, field: str = ""
    ) -> None:
        self.problem = problem
        self.advice = advice
        self.line = line
        self.field = field
        super().__init__(str(self))

    def __str__(self) -> str:
        places = [f"line {self.line}" if self.line else "", self.field]
        where = ", ".join(place for place in places if place)
        problem = f"{self.problem}. {self.advice}."
        return f"{where}: {problem}" if where else problem[0].upper() + problem[1:]
