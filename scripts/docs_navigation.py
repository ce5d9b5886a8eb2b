"""The navigation of the documentation's site, made from the list of pages in docs/README.md."""

from __future__ import annotations

import json
import re

_SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
_ENTRY = re.compile(r"^- (.+?)(?=^- |^\S|\Z)", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\(([^)]+\.md)\)")
_NAVIGATION = re.compile(r"^nav = \[\n.*?^\]$", re.DOTALL | re.MULTILINE)


def with_navigation(configuration: str, listing: str) -> str:
    """The site's configuration with the navigation that follows from the list of pages.

    Each heading is a section. An entry with several links is a section of its own within it, named
    by what stands before the colon.
    """
    lines = ["nav = [", '  { "Overview" = "README.md" },']
    for heading, content in _SECTION.findall(listing):
        entries = [_entry(entry) for entry in _ENTRY.findall(content)]
        lines += [f"  {{ {json.dumps(heading)} = [", *entries, "  ] },"]
    replaced, count = _NAVIGATION.subn(lambda _: "\n".join([*lines, "]"]), configuration)
    if count != 1:
        raise ValueError("the site's configuration has no navigation to replace")
    return replaced


def _entry(entry: str) -> str:
    links = [
        f"{{ {json.dumps(name)} = {json.dumps(target)} }}" for name, target in _LINK.findall(entry)
    ]
    if len(links) == 1:
        return f"    {links[0]},"
    name = json.dumps(entry.partition(":")[0])
    return "\n".join([f"    {{ {name} = [", *(f"      {link}," for link in links), "    ] },"])
