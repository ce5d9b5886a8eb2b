"""`treadle statement …` as a program."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

from tests.importing.reading import FILES

COMMAND = [sys.executable, "-m", "treadle", "statement"]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_file_is_shown_account_by_account() -> None:
    result = run("check", FILES / "ofx" / "multiple_accounts.ofx")
    assert result.returncode == 0
    assert "checking ending in 9100\n  balance 111 USD" in result.stdout
    assert "savings ending in 9200" in result.stdout
    assert "\x1b" not in result.stdout
    assert result.stderr == ""
    assert "17 trades, 6 holdings" in run("check", FILES / "ofx" / "fidelity.ofx").stdout


def test_a_faulty_file_fails_with_its_name_and_place() -> None:
    result = run("check", FILES / "ofx" / "date_missing.ofx")
    assert result.returncode == 1
    assert "date_missing.ofx: transaction 184997056: DTPOSTED is missing" in result.stderr
    assert result.stdout == ""


def test_a_guess_is_corrected_and_given_back(tmp_path: Path) -> None:
    bank = FILES / "csv" / "bank.csv"
    guessed = run("guess", bank)
    assert "Please check currency_code" in guessed.stderr
    mapping = json.loads(guessed.stdout)
    mapping |= {"currency_code": "USD", "account": {"name": "Joint account"}}
    path = tmp_path / "mapping.json"
    path.write_text(json.dumps(mapping))
    shown = run("check", bank, "--mapping", path).stdout
    assert shown.startswith("Joint account\n  balance 3,990.50 USD\n  3 transactions\n")
    assert "2,000.00 USD in, 9.50 out" in shown


def test_a_terminal_shows_progress_in_colour() -> None:
    leader, follower = pty.openpty()
    command = [*COMMAND, "check", str(FILES / "mt940" / "ing.sta")]
    subprocess.run(command, stdout=follower, stderr=follower, check=True, timeout=60)
    os.close(follower)
    shown = os.read(leader, 65_536).decode()
    os.close(leader)
    assert "100%" in shown
    assert "\x1b[1m" in shown
