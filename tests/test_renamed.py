"""Settings under the names of earlier releases."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from index_tts_ui import config, renamed
from index_tts_ui.errors import BadConfig
from index_tts_ui.renamed import Change
from launcher import options

CHANGES = (
    Change(2, "queue_size", "max_waiting"),
    Change(2, "timeout_ms", "timeout", lambda value: float(value) / 1000),
    Change(3, "turbo", why="the batch decides"),
)


def load(
    tmp_path: Path, toml: str = "", flags: dict[str, str] | None = None, **environ: str
) -> tuple[config.Config, list[str]]:
    """The configuration and its notices."""
    (tmp_path / "tts.toml").write_text(toml)
    heard: list[str] = []
    found = config.load({"home": str(tmp_path), **(flags or {})}, environ, heard.append, CHANGES)
    return found, heard


def test_old_names_are_taken_over_from_every_source_with_a_notice(tmp_path: Path) -> None:
    found, heard = load(tmp_path, "queue_size = 7\nturbo = true\n", TTS_TIMEOUT_MS="2500")
    assert (found.max_waiting, found.timeout) == (7, 2.5)
    assert [line.split()[0] for line in heard] == ["queue_size", "turbo", "timeout_ms"]
    assert "now called max_waiting" in heard[0] and "the batch decides" in heard[1]
    found, heard = load(tmp_path, "queue_size = 7", {"queue_size": "9"})
    assert found.max_waiting == 9 and len(heard) == 2


def test_where_both_names_are_given_the_new_one_counts(tmp_path: Path) -> None:
    found, heard = load(tmp_path, "queue_size = 7\nmax_waiting = 8\n")
    assert found.max_waiting == 8 and "counts" in heard[0]


def test_an_old_name_in_a_stronger_source_beats_the_new_one_in_a_weaker(tmp_path: Path) -> None:
    found, _ = load(tmp_path, "max_waiting = 8\n", TTS_QUEUE_SIZE="9")
    assert found.max_waiting == 9


def test_a_value_that_cannot_be_taken_over_is_named_by_the_new_name(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="timeout"):
        load(tmp_path, 'timeout_ms = "soon"\n')


def test_old_flags_are_understood_and_not_shown() -> None:
    import argparse

    parser = argparse.ArgumentParser()
    config.add_flags(parser, CHANGES)
    assert vars(parser.parse_args(["--queue-size", "5"]))["queue_size"] == "5"
    assert "queue-size" not in parser.format_help()


def test_the_schema_of_the_file_may_be_said_and_a_newer_one_is_refused_as_such(tmp_path: Path) -> None:
    assert load(tmp_path, f"schema = {renamed.SCHEMA}\nport = 8000\n")[0].port == 8000
    with pytest.raises(BadConfig, match="newer release"):
        load(tmp_path, f"schema = {renamed.SCHEMA + 1}\nwhatever = 1\n")
    for wrong in ('"1"', "0", "true"):
        with pytest.raises(BadConfig, match="schema"):
            load(tmp_path, f"schema = {wrong}\n")


def test_the_server_says_it_in_its_log(tmp_path: Path) -> None:
    code = (
        "from index_tts_ui import config, renamed\n"
        "changes = (renamed.Change(2, 'queue_size', 'max_waiting'),)\n"
        "print(config.parse(['--queue-size', '5'], changes).max_waiting)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, timeout=60
    )
    assert ran.stdout == "5\n" and "now called max_waiting" in ran.stderr


def test_the_changes_lead_to_settings_that_there_are() -> None:
    names = {item.name for item in fields(config.Config)}
    for change in renamed.CHANGES:
        assert change.old not in names and 1 < change.since <= renamed.SCHEMA
        assert change.new in names or (not change.new and change.why)
        # the launcher reads these itself, and must know the old name, too
        assert change.new not in options._KNOWN
