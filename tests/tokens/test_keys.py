"""Digests and sealed data: useless without the key file, and only in their own place."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import multiprocessing
import os
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treadle.clients import CLIENT, NewClient, create_client
from treadle.http.credentials import Credentials, authenticate
from treadle.http.errors import ApiError
from treadle.key_files import KeyFileError
from treadle.keys import Keys, load_keys
from treadle.store.opening import StoreError, open_store

OLD, NEW = b"o" * 32, b"n" * 32
PLACE = "clients/stripe_key/one"


def keys(*peppers: str) -> Keys:
    known = {"old": OLD, "new": NEW}
    named = {name: known[name] for name in peppers or ("old",)}
    return Keys(named, named)


@given(st.binary(min_size=32, max_size=32), st.text(st.characters(codec="utf-8")))
def test_a_digest_is_hmac_sha256(pepper: bytes, text: str) -> None:
    digest = Keys({"1": pepper}, {"1": OLD}).digest(text)
    assert digest == hmac.new(pepper, text.encode(), hashlib.sha256).digest()


def test_a_digest_changes_with_pepper_and_text() -> None:
    digests = {keys(name).digest(text) for name in ("old", "new") for text in ("a", "b", "")}
    assert len(digests) == 6
    assert all(len(one) == 32 for one in digests)


def test_two_peppers_live_at_once() -> None:
    both = keys("new", "old")
    assert both.pepper_id == "new"
    assert both.matches("secret", keys("old").digest("secret"), "old")
    assert both.matches("secret", keys("new").digest("secret"), "new")
    assert not both.matches("secret", keys("old").digest("secret"), "new")
    assert not both.matches("other", keys("old").digest("secret"), "old")
    assert not both.matches("secret", keys("new").digest("secret"), "gone")
    assert not both.matches("", b"", "new")


def test_sealed_data_opens_in_its_own_place_alone() -> None:
    sealed = keys().seal(b"000123456789", PLACE)
    assert b"0123456789" not in sealed
    assert keys().unseal(sealed, PLACE) == b"000123456789"
    for place in ("clients/stripe_key/two", "clients/name/one", "", PLACE + "x"):
        with pytest.raises(KeyFileError):
            keys().unseal(sealed, place)


def test_the_same_text_is_sealed_anew_each_time() -> None:
    sealed = {keys().seal(b"text", PLACE) for _ in range(1_000)}
    assert len(sealed) == 1_000


def test_tampered_data_does_not_open() -> None:
    sealed = keys().seal(b"text", PLACE)
    for position in range(len(sealed)):
        for flip in (1, 0x80, 0xFF):
            changed = bytearray(sealed)
            changed[position] ^= flip
            with pytest.raises(KeyFileError):
                keys().unseal(bytes(changed), PLACE)


def test_cut_off_data_does_not_open() -> None:
    sealed = keys().seal(b"text", PLACE)
    for length in range(len(sealed)):
        with pytest.raises(KeyFileError):
            keys().unseal(sealed[:length], PLACE)


def test_two_envelope_keys_live_at_once() -> None:
    old, new, both = keys("old"), keys("new"), keys("new", "old")
    assert both.unseal(old.seal(b"text", PLACE), PLACE) == b"text"
    assert new.unseal(both.seal(b"text", PLACE), PLACE) == b"text"
    with pytest.raises(KeyFileError, match="lacks the envelope key"):
        new.unseal(old.seal(b"text", PLACE), PLACE)


def test_a_key_file_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    mask = os.umask(0)
    try:
        made = load_keys(path)
    finally:
        os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_keys(path).digest("a") == made.digest("a")
    assert [one.name for one in tmp_path.iterdir()] == ["keys.json"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o620, 0o601])
def test_a_key_file_for_others_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "keys.json"
    load_keys(path)
    path.chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        load_keys(path)


def key(text: str, length: int = 32) -> dict[str, str]:
    return {"id": text, "key": b64encode(b"k" * length).decode()}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[]",
        "not json",
        "\x00",
        json.dumps({"peppers": [], "envelope_keys": []}),
        json.dumps({"peppers": [key("1")], "envelope_keys": []}),
        json.dumps({"peppers": [key("1")], "envelope_keys": [key("1", 31)]}),
        json.dumps({"peppers": [key("1", 0)], "envelope_keys": [key("1")]}),
        json.dumps({"peppers": [{"id": "1", "key": "???"}], "envelope_keys": [key("1")]}),
        json.dumps({"peppers": [key("1")], "envelope_keys": [key("1")], "more": 1}),
    ],
)
def test_a_broken_key_file_is_refused_and_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match="keys"):
        load_keys(path)
    assert path.read_text() == content


def test_a_draft_that_a_crash_left_behind_is_no_hindrance(tmp_path: Path) -> None:
    # In a container every run has the same process id.
    (tmp_path / f"keys.{os.getpid()}.draft").write_text("{")
    load_keys(tmp_path / "keys.json")


def _load(path: Path, barrier: Callable[[], None], results: Callable[[bytes], None]) -> None:
    barrier()
    results(load_keys(path).digest("a"))


def test_processes_that_start_together_share_one_file(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    for round_ in range(10):
        barrier, results = context.Barrier(4), context.Queue()
        path = tmp_path / f"keys-{round_}.json"
        started = [
            context.Process(target=_load, args=(path, barrier.wait, results.put)) for _ in range(4)
        ]
        for process in started:
            process.start()
        digests = {results.get(timeout=10) for _ in started}
        for process in started:
            process.join()
        assert len(digests) == 1
    assert len(list(tmp_path.iterdir())) == 10


def test_secrets_of_either_pepper_are_accepted(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/treadle.db"

    async def accepted(held: Keys, name: str) -> bool:
        store = await open_store(url, held)
        try:
            await authenticate(store, held, Credentials(name, f"secret-{name}"))
        except ApiError:
            return False
        finally:
            await store.close()
        return True

    async def create(held: Keys, name: str) -> None:
        store = await open_store(url, held)
        new = NewClient(client_id=name, secret=f"secret-{name}", name=name)
        await create_client(store, held, new, 0)
        stored = await store.first(CLIENT, client_id=name)
        assert stored is not None
        assert stored.secret_digest == held.digest(f"secret-{name}")
        await store.close()

    async def run() -> None:
        await create(keys("old"), "first")
        await create(keys("new", "old"), "second")
        both = keys("new", "old")
        assert await accepted(both, "first")
        assert await accepted(both, "second")
        assert not await accepted(both, "third")
        for fewer in ("old", "new"):
            with pytest.raises(StoreError, match="other keys"):
                await open_store(url, keys(fewer))

    asyncio.run(run())
