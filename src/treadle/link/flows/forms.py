"""What was submitted on a pane with fields."""

from __future__ import annotations

from treadle.link import actions
from treadle.link.panes import Field
from treadle.link.step import NotOffered


def values_of(fields: list[Field], action: actions.Submit) -> list[str]:
    """What was submitted for each field. Raises NotOffered unless it is exactly that."""
    names = [field.name for field in fields]
    if action.values.keys() != set(names):
        raise NotOffered(f"values must have exactly the members {', '.join(names)}")
    for field in fields:
        if field.choices and action.values[field.name] not in [one.value for one in field.choices]:
            raise NotOffered(f"values.{field.name} must be one of the choices")
    return [action.values[name] for name in names]
