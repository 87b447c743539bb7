"""The store of keys: what it keeps, whom it knows, and that a damaged file lets nobody in."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from index_tts_ui.auth.keys import KeyStore
from index_tts_ui.auth.sessions import LIFE, Sessions
from index_tts_ui.errors import BadConfig


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "keys.json")


def test_a_key_is_known_by_itself_alone_and_only_its_hash_is_kept(store: KeyStore, tmp_path: Path) -> None:
    entry, key = store.add("anna", roles=("speak", "voices"), weight=2.0, rate="3:6", quota=100)
    other, _ = store.add("bob")
    found = store.find(key)
    assert found == entry
    assert found.owner().key == f"key:{entry.id}" != other.owner().key
    assert (found.owner().weight, found.owner().rate, found.owner().quota) == (2.0, "3:6", 100)
    assert store.find(key[:-1] + ("A" if key[-1] != "A" else "B")) is None
    assert store.find(key.replace(entry.id, other.id)) is None
    assert store.find(entry.hash) is None
    assert store.find("") is None
    text = (tmp_path / "keys.json").read_text()
    assert key not in text
    assert key.rpartition("_")[2] not in text
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600


def test_a_password_is_stretched_and_goes_with_its_name(store: KeyStore, tmp_path: Path) -> None:
    entry, nothing = store.add("carl", password="correct horse")
    assert nothing == ""
    assert store.of_password("carl", "correct horse") == entry
    assert store.of_password("carl", "correct horsE") is None
    assert store.of_password("nobody", "correct horse") is None
    assert entry.hash.startswith("scrypt$")
    assert "correct" not in (tmp_path / "keys.json").read_text()


def test_revoked_and_expired_keys_are_known_no_more_but_stay_listed(tmp_path: Path) -> None:
    now = [1_000_000.0]
    store = KeyStore(tmp_path / "keys.json", lambda: now[0])
    _, gone = store.add("gone")
    _, short = store.add("short", days=1)
    assert store.find(gone)
    assert store.find(short)
    store.revoke("gone")
    assert store.find(gone) is None
    now[0] += 86_400
    assert store.find(short) is None
    assert len(store.ring.keys) == 2
    store.add("gone")  # the name is free again
    with pytest.raises(BadConfig, match="no valid key"):
        store.revoke("nobody")


def test_another_process_s_changes_are_seen_and_none_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    reader = KeyStore(path)
    assert reader.ring.keys == ()
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda number: KeyStore(path).add(f"k{number}")[1], range(16)))
    assert all(reader.find(key) for key in keys)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 2, "secret": "", "keys": []}', '{"version": 1, "keys": [{}]}']
)
def test_a_damaged_file_is_an_error_and_never_an_empty_list(tmp_path: Path, text: str) -> None:
    (tmp_path / "keys.json").write_text(text)
    with pytest.raises(BadConfig):
        _ = KeyStore(tmp_path / "keys.json").ring


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("", {}),
        ("a b", {}),
        ("x" * 65, {}),
        ("a", {"roles": ("king",)}),
        ("a", {"roles": ()}),
        ("a", {"password": "short"}),
        ("a", {"rate": "5/s"}),
        ("a", {"weight": 0.0}),
        ("a", {"quota": -1}),
        ("a", {"days": -1.0}),
    ],
)
def test_an_entry_that_makes_no_sense_is_not_written(
    store: KeyStore, tmp_path: Path, name: str, more: dict[str, object]
) -> None:
    with pytest.raises(BadConfig):
        store.add(name, **more)  # type: ignore[arg-type]
    assert not (tmp_path / "keys.json").exists()


def test_a_session_ends_with_its_time_its_key_and_any_change_of_it(tmp_path: Path) -> None:
    now = [1_000_000.0]
    store = KeyStore(tmp_path / "keys.json", lambda: now[0])
    sessions = Sessions(store, lambda: now[0])
    entry, _ = store.add("anna")
    other, _ = store.add("bob")
    cookie = sessions.new(entry)
    assert sessions.find(cookie) == entry
    key_id, expires, mac = cookie.split(".")
    for forged in (
        f"{other.id}.{expires}.{mac}",
        f"{key_id}.{int(expires) + 1}.{mac}",
        f"{key_id}.{expires}.{mac[:-1]}",
        f"{key_id}.{expires}.é",
        f"{key_id}.x.{mac}",
        "..",
        "",
    ):
        assert sessions.find(forged) is None
    now[0] += LIFE
    assert sessions.find(cookie) is None
    fresh = sessions.new(entry)
    store.revoke("anna")
    assert sessions.find(fresh) is None


def test_the_signing_secret_is_made_once(store: KeyStore, tmp_path: Path) -> None:
    store.add("a")
    first = json.loads((tmp_path / "keys.json").read_text())["secret"]
    store.add("b")
    assert json.loads((tmp_path / "keys.json").read_text())["secret"] == first
    assert len(bytes.fromhex(first)) == 32
