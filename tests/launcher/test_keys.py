"""``tts-launch keys``: what it prints, and that the server's store understands it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from index_tts_ui.auth.keys import KeyStore


def keys(home: Path, *words: str, stdin: str = "", language: str = "C", code: int = 0) -> tuple[str, str]:
    """Standard output and error."""
    done = subprocess.run(
        [sys.executable, "-m", "launcher", "keys", *words, "--home", str(home)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "LC_ALL": language},
    )
    assert done.returncode == code, done.stderr
    return done.stdout, done.stderr


def test_a_key_is_made_printed_once_listed_and_revoked(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys.json")
    words = ("add", "anna", "--roles", "speak,voices", "--days", "9", "--weight", "2", "--rate", "1:2")
    out, _ = keys(tmp_path, *words, "--quota", "500")
    key = next(line for line in out.splitlines() if line.startswith("tts_"))
    found = store.find(key)
    assert found is not None
    assert (found.name, found.roles, found.weight, found.rate, found.quota) == (
        "anna",
        ("speak", "voices"),
        2.0,
        "1:2",
        500,
    )
    assert round((found.expires - found.created) / 86_400) == 9
    listed = json.loads(keys(tmp_path, "list", "--json")[0])["keys"]
    assert [(item["name"], item["state"]) for item in listed] == [("anna", "valid")]
    assert key not in keys(tmp_path, "list")[0]
    keys(tmp_path, "revoke", found.id)
    assert store.find(key) is None
    assert "已吊销" in keys(tmp_path, "list", language="zh_CN.UTF-8")[0]


def test_a_password_is_read_from_standard_input_and_never_shown(tmp_path: Path) -> None:
    out, _ = keys(tmp_path, "add", "bob", "--password", stdin="correct horse\n")
    assert "horse" not in out
    assert KeyStore(tmp_path / "keys.json").of_password("bob", "correct horse")


@pytest.mark.parametrize(
    "words", [("add", "a b"), ("add", "a", "--roles", "king"), ("add", "-x"), ("revoke", "nobody")]
)
def test_a_mistake_is_one_line_and_writes_nothing(tmp_path: Path, words: tuple[str, ...]) -> None:
    _, said = keys(tmp_path, *words, code=2 if "-x" in words else 1)
    assert "Traceback" not in said
    assert len(said.splitlines()) <= 4
    assert not (tmp_path / "keys.json").exists()


def test_a_damaged_file_is_named_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text("{")
    _, said = keys(tmp_path, "add", "anna", code=1)
    assert "cannot be read" in said
    assert (tmp_path / "keys.json").read_text() == "{"
