"""The pytest plugin: a world for each test, webhooks, and what a failure shows."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

import treadle
from treadle.running import Server

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.served

# Each sets what another would notice, then looks whether another has set it.
COLLIDING = """
import time

import pytest


@pytest.mark.parametrize("number", range(8))
def test_world(treadle, number):
    instant = f"{2001 + number}-01-01T00:00:00Z"
    treadle.clock.set(instant)
    assert treadle.faults.list() == []
    treadle.faults.add("error", error_code="INVALID_MFA", path="/identity/get")
    treadle.seed.set("loom")
    item = treadle.item(webhook=treadle.webhooks.url)
    treadle.call("/sandbox/item/reset_login", access_token=item.access_token)
    event = treadle.webhooks.wait_for("ITEM", "ERROR")
    time.sleep(0.3)
    assert event.item_id == item.item_id
    assert treadle.webhooks.events == [event]
    assert treadle.clock.now().year == 2001 + number
    [fault] = treadle.faults.list()
    assert fault.hits == 0
    assert [one.path for one in treadle.requests.list(path="/item/public_token/exchange")] == [
        "/item/public_token/exchange"
    ]
"""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Server]:
    """A server that the runs below are told of."""
    with treadle.serve() as server:
        yield server


def test_tests_that_run_side_by_side_never_meet(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(COLLIDING)
    result = pytester.runpytest_subprocess("-n", "4")
    result.assert_outcomes(passed=8)


def test_nor_do_they_on_one_server(pytester: pytest.Pytester, elsewhere: Server) -> None:
    pytester.makepyfile(COLLIDING)
    result = pytester.runpytest_subprocess("-n", "4", "--treadle-url", elsewhere.base_url)
    result.assert_outcomes(passed=8)


def test_each_client_is_deleted_after_its_test(
    pytester: pytest.Pytester, elsewhere: Server
) -> None:
    pytester.makepyfile(
        """
        def test_passes(treadle, treadle_server):
            [mine] = treadle_server.client.clients.list()
            assert mine.client_id == treadle.client_id
            assert mine.name == "test_each_client_is_deleted_after_its_test.py::test_passes"

        def test_fails(treadle):
            treadle.item()
            assert False

        def test_finds_no_other(treadle, treadle_server):
            assert len(treadle_server.client.clients.list()) == 1
        """
    )
    result = pytester.runpytest_subprocess("--treadle-url", elsewhere.base_url)
    result.assert_outcomes(passed=2, failed=1)
    assert list(elsewhere.client.clients.list()) == []


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "workers"])
def test_a_failure_shows_the_last_requests(
    workers: tuple[str, ...], pytester: pytest.Pytester, elsewhere: Server
) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def narrowed(treadle):
            return treadle.processor_token(treadle.item(["auth"]), "dwolla", ["identity"])

        def test_reads(treadle, narrowed):
            treadle.call("/processor/auth/get", processor_token=narrowed)

        def test_passes(treadle):
            treadle.call("/categories/get")
        """
    )
    url = ("--treadle-url", elsewhere.base_url)
    result = pytester.runpytest_subprocess(*url, *workers)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "* treadle requests *",
            "POST /sandbox/public_token/create  200 OK  allowed  *",
            "POST /processor/token/permissions/set  200 OK  allowed  *",
            "POST /processor/auth/get  400 INVALID_PRODUCT  refused: the token is narrowed to "
            "identity  *",
        ]
    )
    result.stdout.no_fnmatch_line("*categories*")


def test_so_does_a_failure_before_the_test(pytester: pytest.Pytester, elsewhere: Server) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def broken(treadle):
            treadle.faults.add("error", error_code="ITEM_LOCKED")
            treadle.item()

        def test_reads(broken):
            pass
        """
    )
    result = pytester.runpytest_subprocess("--treadle-url", elsewhere.base_url)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["* treadle requests *", "POST /sandbox/public_token/create  400 ITEM_LOCKED  *fault *"]
    )


def test_the_sdk_reads_what_was_linked(pytester: pytest.Pytester, elsewhere: Server) -> None:
    pytester.makepyfile(
        """
        from plaid.models import AuthGetRequest, ProcessorAuthGetRequest

        def test_reads(treadle):
            item = treadle.item(["auth"])
            answer = treadle.plaid.auth_get(AuthGetRequest(access_token=item.access_token))
            assert answer.item.item_id == item.item_id
            savings = answer.accounts[1].account_id
            token = treadle.processor_token(item, "dwolla", account_id=savings)
            request = ProcessorAuthGetRequest(processor_token=token)
            assert treadle.plaid.processor_auth_get(request).account.account_id == savings
            assert treadle.requests.list()[0].path == "/processor/auth/get"
        """
    )
    pytester.runpytest_subprocess("--treadle-url", elsewhere.base_url).assert_outcomes(passed=1)


def test_without_the_sdk_all_else_works(pytester: pytest.Pytester, elsewhere: Server) -> None:
    pytester.makeconftest("import sys\nsys.modules['plaid'] = None")
    pytester.makepyfile(
        """
        import pytest

        def test_item(treadle):
            item = treadle.item(["transactions"], user="user_transactions_dynamic")
            assert treadle.processor_token(item, "dwolla", ["transactions"])
            with pytest.raises(ImportError, match="pip install plaid-python"):
                treadle.plaid
        """
    )
    pytester.runpytest_subprocess("--treadle-url", elsewhere.base_url).assert_outcomes(passed=1)


def test_a_partner_has_keys_of_its_own(pytester: pytest.Pytester, elsewhere: Server) -> None:
    pytester.makepyfile(
        """
        import pytest

        from treadle.client import Refused

        def test_reads(treadle, treadle_server):
            partner = treadle.partner("dwolla")
            token = treadle.processor_token(treadle.item(["auth"]), "dwolla", ["auth"])
            assert partner.client_id != treadle.client_id
            assert partner.call("/processor/auth/get", processor_token=token)["numbers"]["ach"]
            assert [one.path for one in partner.requests.list()] == ["/processor/auth/get"]
            with pytest.raises(Refused, match="INVALID_PROCESSOR_TOKEN"):
                treadle.partner("vesta").call("/processor/auth/get", processor_token=token)
            assert len(treadle_server.client.clients.list()) == 3
        """
    )
    pytester.runpytest_subprocess("--treadle-url", elsewhere.base_url).assert_outcomes(passed=1)
    assert list(elsewhere.client.clients.list()) == []


def test_webhooks_are_waited_for_one_by_one(pytester: pytest.Pytester, elsewhere: Server) -> None:
    pytester.makepyfile(
        """
        def break_login(treadle, item):
            treadle.call("/sandbox/item/reset_login", access_token=item.access_token)

        def test_each_once(treadle):
            first, second = (treadle.item(webhook=treadle.webhooks.url) for _ in range(2))
            treadle.faults.add("webhook_duplicate", item_id=first.item_id)
            break_login(treadle, first)
            one = treadle.webhooks.wait_for("ITEM", "ERROR")
            two = treadle.webhooks.wait_for("ITEM", "ERROR")
            assert one.event_id == two.event_id
            break_login(treadle, second)
            event = treadle.webhooks.wait_for("ITEM", "ERROR", item_id=second.item_id)
            assert event.item_id == second.item_id
            assert event.body["error"]["error_code"] == "ITEM_LOGIN_REQUIRED"
            assert treadle.webhooks.events == [one, two, event]
        """
    )
    pytester.runpytest_subprocess("--treadle-url", elsewhere.base_url).assert_outcomes(passed=1)


def test_a_webhook_that_is_missing_tells_what_came(
    pytester: pytest.Pytester, elsewhere: Server
) -> None:
    pytester.makepyfile(
        """
        import httpx

        def test_waits(treadle):
            httpx.post(treadle.webhooks.url, json={"webhook_type": "ITEM"}, trust_env=False)
            item = treadle.item(webhook=treadle.webhooks.url)
            treadle.call("/sandbox/item/reset_login", access_token=item.access_token)
            treadle.webhooks.wait_for("ITEM", "ERROR")
            treadle.webhooks.wait_for("ITEM", "ERROR", item_id="another", timeout=0.1)

        def test_gets_nothing(treadle):
            treadle.webhooks.wait_for("ITEM", "ERROR", timeout=0.1)
        """
    )
    result = pytester.runpytest_subprocess("--treadle-url", elsewhere.base_url)
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            "E  *NotReceived: no ITEM:ERROR for Item another within 0.1 s",
            "E   *What came to http://127.0.0.1:*/webhook:",
            "E   *  ITEM:ERROR for Item *, waited for before",
            "E   *  refused: the signature is no signed token",
            "E  *NotReceived: no ITEM:ERROR within 0.1 s",
            "E   *  nothing",
        ]
    )


def test_forged_webhooks_are_not_believed(pytester: pytest.Pytester, elsewhere: Server) -> None:
    """The genuine one, sent again with another body, and again as it was."""
    pytester.makepyfile(
        """
        import httpx

        def test_forged(treadle):
            item = treadle.item(webhook=treadle.webhooks.url)
            treadle.call("/sandbox/item/reset_login", access_token=item.access_token)
            treadle.webhooks.wait_for("ITEM", "ERROR")
            signed = []
            while not signed:
                signed = treadle.client.webhooks.list().owed
            genuine = signed[0].webhook.body

            def send(body):
                headers = {"Plaid-Verification": signed[0].signature}
                url = treadle.webhooks.url
                return httpx.post(url, content=body, headers=headers, trust_env=False).status_code

            assert send(genuine.replace(item.item_id, "another")) == 400
            assert treadle.webhooks.refusals == ["the signature is for another body"]
            assert send(genuine) == 200
        """
    )
    pytester.runpytest_subprocess("--treadle-url", elsewhere.base_url).assert_outcomes(passed=1)


def test_a_conftest_may_choose_how_the_server_is_started(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import pytest

        @pytest.fixture(scope="session")
        def treadle_arguments():
            return ("--clock", "2026-01-31T12:00:00Z")
        """
    )
    pytester.makepyfile(
        """
        def test_clock(treadle):
            assert treadle.clock.now().isoformat() == "2026-01-31T12:00:00+00:00"
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_a_server_that_is_not_there_is_said_plainly(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_reads(treadle): pass")
    result = pytester.runpytest_subprocess("--treadle-url", "http://127.0.0.1:1")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["E  *Unreachable: http://127.0.0.1:1 does not answer: *"])


def test_the_server_ends_with_the_run(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pathlib

        def test_tells_where(treadle):
            pathlib.Path("url").write_text(treadle.base_url)
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
    url = (pytester.path / "url").read_text()
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)


def test_who_does_not_use_it_does_not_pay(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_nothing_is_loaded(pytestconfig):
            assert pytestconfig.pluginmanager.has_plugin("treadle")
            heavy = {"httpx", "msgspec", "plaid", "sqlalchemy", "treadle.client", "treadle.testing"}
            assert not heavy & sys.modules.keys()
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
