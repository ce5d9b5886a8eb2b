"""The edits of a key file: a pair of new keys, put into use at once or staged, and one taken out.

A pepper and an envelope key that are made together have one id.
"""

from __future__ import annotations

from pathlib import Path

from treadle.ids import secret_key
from treadle.key_files import KEY_BYTES, MOST_KEYS, Key, KeyFile, KeyFileError, change


def stage_keys(path: Path) -> str:
    """Add new keys that are known and not in use yet; answers their id."""
    key_id = _new_id()

    def edit(file: KeyFile) -> KeyFile:
        if file.staged:
            raise KeyFileError(f"{', '.join(sorted(file.staged))} is staged already")
        _add(file, key_id, staged=True)
        return file

    change(path, edit)
    return key_id


def use_new_keys(path: Path) -> str:
    """Put the staged keys into use or, where none are, new ones; answers their id."""
    fresh_id = _new_id()

    def edit(file: KeyFile) -> KeyFile:
        if not file.staged:
            _add(file, fresh_id, staged=True)
        for keys in (file.peppers, file.envelope_keys):
            keys.sort(key=lambda key: not key.staged)
            for key in keys:
                key.staged = False
        return file

    return change(path, edit).peppers[0].id


def remove_key(path: Path, key_id: str) -> None:
    def edit(file: KeyFile) -> KeyFile:
        file.peppers = [key for key in file.peppers if key.id != key_id]
        file.envelope_keys = [key for key in file.envelope_keys if key.id != key_id]
        return file

    change(path, edit)


def _new_id() -> str:
    """One that no key ever had, retired ones included."""
    return secret_key(4).hex()


def _add(file: KeyFile, key_id: str, *, staged: bool) -> None:
    for keys in (file.peppers, file.envelope_keys):
        if len(keys) >= MOST_KEYS:
            raise KeyFileError(f"{MOST_KEYS} keys live already: retire one first")
        keys.append(Key(key_id, secret_key(KEY_BYTES), staged))
