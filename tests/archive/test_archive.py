"""Archives as files: what is in them, and what no archive can do to a home folder."""

from __future__ import annotations

import json
import sqlite3
import threading
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from index_tts_ui.archive import maker, manifest, parts, restorer, swap
from index_tts_ui.archive.refused import Refused
from index_tts_ui.auth.keys import KeyStore

from .conftest import OUTPUT, tree


def refused(call: Any, *arguments: Any) -> tuple[str, dict[str, str]]:
    with pytest.raises(Refused) as error:
        call(*arguments)
    return error.value.key, error.value.facts


def saved(home: Path, *more: str) -> Path:
    return maker.make(home, home.parent, [*parts.USUAL, *more])[0]


def changed(path: Path, **files: bytes | None) -> Path:
    """The archive with some files replaced, added or (None) left out; its manifest as it was."""
    other = path.with_name("changed.zip")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w") as new:
        for name in old.namelist():
            if name not in files:
                new.writestr(name, old.read(name))
        for name, data in files.items():
            if data is not None:
                new.writestr(name, data)
    return other


def edited(path: Path, **facts: Any) -> Path:
    """The archive with other facts in its manifest."""
    with zipfile.ZipFile(path) as archive:
        data = json.loads(archive.read(manifest.NAME))
    return changed(path, **{manifest.NAME: json.dumps({**data, **facts}).encode()})


def test_everything_that_is_kept_comes_back_and_nothing_else(home: Path) -> None:
    path = saved(home)
    new = home.parent / "new"
    found = restorer.restore(new, path, False)
    assert tree(new).keys() == tree(home).keys() - {
        "logs/server.log",
        "outputs/notkeptnotkeptnotkept.json",
        "cache_hub/kokoro/manifest.json",
        "cache_hub/kokoro/voices/a.bin",
    }
    same = [name for name in tree(new) if not name.endswith(".sqlite3")]
    assert {name: tree(new)[name] for name in same} == {name: tree(home)[name] for name in same}
    assert [key.name for key in KeyStore(new / "keys.json").ring.keys] == ["anna"]
    assert (new / "keys.json").stat().st_mode & 0o777 == path.stat().st_mode & 0o777 == 0o600
    notices = [(item["key"], *item["facts"].values()) for item in found["notices"]]  # type: ignore[attr-defined]
    assert notices == [
        ("backup_path_absent", "/no/cert.pem"),
        ("backup_path_absent", "/no/key.pem"),
        ("backup_model_absent", "kokoro"),
    ]


def test_models_come_along_where_they_are_asked_for_and_stay_where_they_are(home: Path) -> None:
    path = saved(home, "models")
    new = home.parent / "new"
    restorer.restore(new, path, False)
    assert (new / "cache_hub/kokoro/voices/a.bin").read_text() == "model"
    (new / "cache_hub/kokoro/voices/a.bin").write_text("mine")
    found = restorer.restore(new, path, True)
    assert (new / "cache_hub/kokoro/voices/a.bin").read_text() == "mine"
    kept = [item["facts"]["name"] for item in found["notices"] if item["key"] == "backup_kept"]  # type: ignore[attr-defined]
    assert "cache_hub/kokoro" in kept and f"outputs/{OUTPUT}.json" in kept


def test_a_part_can_be_left_out(home: Path) -> None:
    path, _ = maker.make(home, home.parent / "b.zip", ["voices"])
    restorer.restore(home.parent / "new", path, False)
    assert {name.partition("/")[0] for name in tree(home.parent / "new")} == {"voices"}


def test_nothing_is_overwritten_silently(home: Path) -> None:
    path = saved(home)
    before = tree(home)
    key, facts = refused(restorer.restore, home, path, False)
    assert key == "backup_in_the_way" and "voices" in facts["names"] and "keys.json" in facts["names"]
    assert tree(home) == before
    (home / "dictionary.json").write_text('{"version": 1, "entries": [], "x": 1}')
    found = restorer.restore(home, path, True)
    aside = Path(str(found["aside"]))
    assert json.loads((aside / "dictionary.json").read_text())["x"] == 1
    assert "x" not in json.loads((home / "dictionary.json").read_text())
    assert refused(maker.make, home, path, parts.USUAL)[0] == "backup_exists"


def test_a_failure_in_the_middle_leaves_the_home_as_it_was(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, before = saved(home), tree(home)
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if swap.STAGING in str(self) and self.name == "keys.json":
            raise OSError(28, "No space left on device", str(self))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    assert refused(restorer.restore, home, path, True)[0] == "backup_disk"
    monkeypatch.undo()
    left = {name: data for name, data in tree(home).items() if not name.startswith("replaced-")}
    assert left == before
    assert not list(home.glob(f"{swap.STAGING}*"))


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/etc/evil",
        "voices/clips/../../evil",
        "voices/clips/evil.wav",
        "run/lock",
        "outputs/../x.json",
    ],
)
def test_an_archive_can_write_nowhere_else(home: Path, name: str) -> None:
    path = saved(home)
    entry = {"name": name, "size": 1, "sha256": "0" * 64}
    with zipfile.ZipFile(path) as archive:
        entries = json.loads(archive.read(manifest.NAME))["entries"]
    evil = changed(edited(path, entries=[*entries, entry]).rename(path), **{name: b"x"})
    assert refused(restorer.restore, home.parent / "new", evil, False)[0] == "backup_no_archive"
    assert not (home.parent / "new").exists() and not (home.parent / "evil").exists()


@pytest.mark.parametrize(
    ("name", "data"),
    [("tts.toml", b"port = 1\n"), ("tts.toml", None), ("voices/extra", b"x"), ("tts.toml", bytes(1 << 20))],
)
def test_what_is_not_as_it_was_saved_is_refused(home: Path, name: str, data: bytes | None) -> None:
    path = changed(saved(home), **{name: data})
    assert refused(restorer.restore, home.parent / "new", path, False)[0] == "backup_damaged"
    assert refused(restorer.look, path)[0] == "backup_damaged"
    assert not tree(home.parent / "new") if (home.parent / "new").exists() else True


def test_other_bytes_of_the_same_length_are_noticed(home: Path) -> None:
    path = changed(saved(home), **{"wordlist.txt": b"goodword\n"[1:]})
    key, facts = refused(restorer.restore, home.parent / "new", path, False)
    assert (key, facts["name"]) == ("backup_damaged", "wordlist.txt")


@pytest.mark.parametrize("cut", [0, 10, 0.5, 0.99])
def test_a_file_that_is_cut_off_is_no_backup(home: Path, cut: float) -> None:
    path = saved(home)
    data = path.read_bytes()
    path.write_bytes(data[: int(cut if cut >= 1 else cut * len(data))])
    assert refused(restorer.restore, home.parent / "new", path, False)[0] == "backup_no_archive"


def test_flipped_bits_are_noticed(home: Path) -> None:
    path = saved(home)
    data = bytearray(path.read_bytes())
    at = data.index(bytes(1000))  # inside the clip, which is stored as it is
    data[at] = 1
    path.write_bytes(data)
    key, facts = refused(restorer.look, path)
    assert key == "backup_damaged" and facts["name"].startswith("voices/clips/")


def test_what_is_newer_is_refused_as_such(home: Path) -> None:
    path = saved(home)
    key, facts = refused(
        restorer.restore, home.parent / "new", edited(path, version=99, release="9.0"), False
    )
    assert (key, facts["release"]) == ("backup_newer", "9.0")
    with closing(sqlite3.connect(home / "history.sqlite3")) as db:
        db.execute("PRAGMA user_version = 99")
    (home / "voices/library.json").write_text('{"version": 1, "voices": [], "default": "", "sampled": false}')
    newer, _ = maker.make(home, home.parent / "newer.zip", parts.USUAL)
    key, facts = refused(restorer.restore, home.parent / "new", newer, False)
    assert (key, facts["name"]) == ("backup_newer_part", "history.sqlite3")
    assert not tree(home.parent / "new")


def test_the_versions_that_are_understood_are_those_that_the_stores_write(home: Path) -> None:
    for name, newest in parts.DATABASES.items():
        with closing(sqlite3.connect(home / name)) as db:
            assert db.execute("PRAGMA user_version").fetchone()[0] == newest, name


def test_a_damaged_database_is_named_and_the_rest_can_be_saved(home: Path) -> None:
    path = home / "usage.sqlite3"
    path.write_bytes(b"not a database at all" * 100)
    key, facts = refused(saved, home)
    assert (key, facts["part"]) == ("backup_damaged_source", "usage")
    assert not list(home.parent.glob("*.zip")) and not list(home.parent.glob(".*"))
    maker.make(home, home.parent / "rest.zip", [part for part in parts.USUAL if part != "usage"])


def test_a_database_is_copied_whole_while_others_write_it(home: Path) -> None:
    """Each transaction adds two rows: a copy with an odd number of them is torn."""
    ends, path = threading.Event(), home / "usage.sqlite3"

    def write() -> None:
        with closing(sqlite3.connect(path, 30, isolation_level=None)) as db:
            while not ends.is_set():
                db.execute("BEGIN IMMEDIATE")
                for _ in range(2):
                    db.execute("INSERT INTO usage (time, id) VALUES (1.0, ?)", ("x" * 3000,))
                db.execute("COMMIT")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        counts = []
        for number in range(6):
            made, _ = maker.make(home, home.parent / f"{number}.zip", ["usage"])
            restorer.restore(home.parent / f"new{number}", made, False)
            with closing(sqlite3.connect(home.parent / f"new{number}/usage.sqlite3")) as db:
                counts.append(db.execute("SELECT COUNT(*) FROM usage").fetchone()[0])
    finally:
        ends.set()
        writer.join(30)
    assert all(count % 2 == 0 for count in counts) and counts == sorted(counts) and counts[-1] > counts[0]


def test_a_disk_without_room_is_said_before_anything_is_written(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(home)
    monkeypatch.setattr(restorer, "SPARE", 1 << 60)
    assert refused(restorer.restore, home.parent / "new", path, False)[0] == "backup_no_room"


def test_links_in_an_archive_are_only_bytes(home: Path) -> None:
    """A member that says it is a symbolic link is written as a plain file."""
    path = saved(home)
    other = path.with_name("linked.zip")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w") as new:
        for info in old.infolist():
            if info.filename == "wordlist.txt":
                info.external_attr = 0o120777 << 16
            new.writestr(info, old.read(info.filename))
    restorer.restore(home.parent / "new", other, False)
    assert not (home.parent / "new/wordlist.txt").is_symlink()
