"""What was measured, against what it should be, as tables."""

from __future__ import annotations

import sys

import msgspec

from bench.load import Load


class Result(msgspec.Struct):
    """One measure with its target: at least `least`, or at most `most`."""

    name: str
    value: float
    unit: str = ""
    least: float | None = None
    most: float | None = None
    trouble: str = ""

    @property
    def met(self) -> bool:
        if self.trouble:
            return False
        if self.least is not None and self.value < self.least:
            return False
        return self.most is None or self.value <= self.most

    @property
    def target(self) -> str:
        if self.least is not None:
            return f"≥ {self.least:.2f}{self.unit}"
        return f"≤ {self.most:.2f}{self.unit}"

    @property
    def verdict(self) -> str:
        if self.trouble:
            return f"FAILED: {self.trouble}"
        return "met" if self.met else "MISSED"


class Report:
    def __init__(self) -> None:
        self.results: list[Result] = []
        self._loads: list[tuple[str, str, Load]] = []

    def add_load(self, name: str, server: str, load: Load) -> None:
        self._loads.append((name, server, load))

    def add(self, result: Result) -> None:
        self.results.append(result)
        note(f"  {result.name}: {result.value:.2f}{result.unit}, {result.verdict}")

    def print(self) -> None:
        if self._loads:
            rows = [
                ["Load", "Server", "Requests/s", "p99 ms", "CPU µs/request", "Bare's CPU to it"]
            ]
            bare = {name: load for name, server, load in self._loads if server == "bare"}
            for name, server, load in self._loads:
                figures = [f"{load.per_second:,.0f}", f"{load.p99_milliseconds:.1f}"]
                share = "-"
                if name in bare:
                    share = f"{bare[name].cpu_microseconds / load.cpu_microseconds:.2f}"
                figures += [f"{load.cpu_microseconds:.1f}", share]
                rows.append([name, server, *figures])
            _print_table(rows, texts=2)
        rows = [["Measure", "Measured", "Target", "Verdict"]]
        for result in self.results:
            measured = f"{result.value:.2f}{result.unit}"
            rows.append([result.name, measured, result.target, result.verdict])
        _print_table(rows, texts=1)
        missed = [result.name for result in self.results if not result.met]
        print(f"Missed: {'; '.join(missed)}" if missed else "Every target is met.")


def note(text: str) -> None:
    """Tell how far we are, beside the tables."""
    print(text, file=sys.stderr, flush=True)


def _print_table(rows: list[list[str]], texts: int) -> None:
    """Print in Markdown, with the first columns and the last one to the left if they are text."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    right = [at >= texts for at in range(len(widths))]
    rules = [
        "-" * (width - 1) + (":" if r else "-") for width, r in zip(widths, right, strict=True)
    ]
    for row in [rows[0], rules, *rows[1:]]:
        cells = [
            cell.rjust(width) if r else cell.ljust(width)
            for cell, width, r in zip(row, widths, right, strict=True)
        ]
        print(f"| {' | '.join(cells)} |")
    print()
