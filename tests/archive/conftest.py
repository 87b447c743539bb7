"""A home folder with something of every part in it, made by the stores themselves."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from index_tts_ui.auth.keys import KeyStore
from index_tts_ui.database import Database
from index_tts_ui.history import entry_table, preset_table
from index_tts_ui.library import Shelf, StoredVoice
from index_tts_ui.usage import SCHEMA

OUTPUT = "abcdefghijklmnopqrst"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """See the module."""
    folder = tmp_path / "old home"
    clip = b"RIFF" + bytes(2000)
    key = hashlib.sha256(clip).hexdigest()
    voice = StoredVoice("voice-1", "Anna", key, 3.0, "mine", "", 1.0)
    texts = {
        "tts.toml": 'port = 7999\ntls = "/no/cert.pem,/no/key.pem"\n',
        "wordlist.txt": "badword\n",
        "dictionary.json": json.dumps({"version": 1, "entries": []}),
        "voices/library.json": json.dumps(Shelf((voice,)).to_json()),
        f"outputs/{OUTPUT}.json": "{}",
        f"outputs/{OUTPUT}.keep": "",
        f"outputs/{OUTPUT}.takes/0.2.pcm": "sound",
        "outputs/notkeptnotkeptnotkept.json": "{}",
        "logs/server.log": "not saved",
        "cache_hub/kokoro/manifest.json": json.dumps({"files": [{"name": "a", "size": 5, "sha256": ""}]}),
        "cache_hub/kokoro/voices/a.bin": "model",
    }
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    (folder / "voices/clips").mkdir()
    (folder / f"voices/clips/{key}.wav").write_bytes(clip)
    KeyStore(folder / "keys.json").add("anna")
    Database(folder / "history.sqlite3", entry_table.SCHEMA + preset_table.SCHEMA, entry_table.NAMED).close()
    Database(folder / "usage.sqlite3").close()
    fill(folder / "usage.sqlite3")
    return folder


def fill(path: Path) -> None:
    """A usage database as the server begins it."""
    db = Database(path)
    with db.change() as changing:
        for statement in SCHEMA:
            changing.execute(statement)
    db.close()


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below, by name; not what a restore has put aside or other processes hold."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(".lock")
    }
