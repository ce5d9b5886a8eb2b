"""Whatever a file holds that can be read, it can be imported, and again without a change."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.importing.reading import BANK_MAPPING, FILES
from tests.importing.test_fuzzing import SAMPLES, changed
from tests.support.effort import tries
from treadle.app import open_services
from treadle.importing.detecting import read_file
from treadle.importing.refusal import FileRefused
from treadle.ingest.described import Describer
from treadle.ingest.intake import Intake
from treadle.ingest.spool import Spool
from treadle.ingest.statement_import import STATEMENTS, Outcome, StatementImport
from treadle.settings import SANDBOX_CLIENT_ID, Settings

Import = Callable[[bytes, str], Outcome | None]


@pytest.fixture(scope="module")
def bring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Import]:
    """A function that imports a file for a user; None where it cannot be read."""
    data: Path = tmp_path_factory.mktemp("fuzzing")
    with asyncio.Runner() as runner:
        services = runner.run(open_services(Settings(data=data)))

        def run(content: bytes, user_id: str) -> Outcome | None:
            mapping = BANK_MAPPING if content.startswith(b"Posting Date") else None
            with TemporaryFile() as entries:
                spool = Spool(Describer(STATEMENTS, user_id), entries)
                try:
                    beginning = spool.read(read_file(io.BytesIO(content), mapping))
                except FileRefused:
                    return None
                keep = _keep(services, user_id, beginning, entries)
                outcome: Outcome = runner.run(keep)
                return outcome

        yield run


async def _keep(services: Any, user_id: str, beginning: Any, entries: Any) -> Outcome:
    intake = Intake(services.store, services.keys, SANDBOX_CLIENT_ID, services.clock.now())
    importing = StatementImport(services.store, intake, SANDBOX_CLIENT_ID, STATEMENTS, user_id)
    brought = await services.sources.named("stored").institutions(SANDBOX_CLIENT_ID)
    return await importing.keep(brought.get(STATEMENTS), beginning, entries)


@pytest.mark.parametrize("name", SAMPLES)
@settings(
    max_examples=tries(12, thorough=300), deadline=None, suppress_health_check=list(HealthCheck)
)
@given(data=st.data())
def test_what_is_read_is_kept_and_kept_once(bring: Import, name: str, data: st.DataObject) -> None:
    content = data.draw(changed((FILES / name).read_bytes()))
    user_id = str(data.draw(st.uuids(version=4)))
    first = bring(content, user_id)
    if first is not None:
        again = bring(content, user_id)
        assert again is not None
        assert (again.accounts_added, again.accounts_changed) == (0, 0)
        assert (again.added, again.modified, again.removed) == (0, 0, 0)
