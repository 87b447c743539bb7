"""Uploads that something happened to: taken or refused, never an error of ours, never a hang."""

from __future__ import annotations

import random
from pathlib import Path

import httpx
import pytest

from index_tts_ui.errors import Invalid

from ..api.server import Server
from . import fuzz
from .mutants import mutant, whole

ROUTES = (("/v1/audio/clips", "file", {}), ("/tts", "ref_audio", {"text": "Hi."}))


def test_good_files_of_every_container_are_taken() -> None:
    assert len(whole()) >= 9
    assert {fuzz.outcome(data) for data in whole()} == {"good"}


def test_mutated_files_are_read_or_refused(tmp_path: Path) -> None:
    assert fuzz.hunt(tmp_path, 150, seed=1) == []
    assert list(tmp_path.glob("corpus-*")), "nothing new was ever seen: the fuzzer is blind"


@pytest.mark.slow
def test_many_more_mutated_files_are_read_or_refused(tmp_path: Path) -> None:
    assert fuzz.hunt(tmp_path, 3_000, seed=2) == []


@pytest.mark.parametrize("error", ["raise KeyError(1)", "import os; os.kill(os.getpid(), 11)"])
def test_the_fuzzer_finds_what_there_is_to_find(
    error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An inner process that fails keeps the file, and the run goes on to its end."""
    program = tmp_path / "bad.py"
    program.write_text(
        "import sys, pathlib\n"
        f"pathlib.Path({str(tmp_path / 'current')!r}).write_bytes(b'culprit')\nprint(0, flush=True)\n{error}\n"
    )
    monkeypatch.setattr(fuzz.sys, "executable", str(_script(tmp_path, program)))
    found = fuzz.hunt(tmp_path, 2, seed=0)
    assert [path.read_bytes() for path in found] == [b"culprit"] * 2


def _script(folder: Path, program: Path) -> Path:
    import sys

    script = folder / "python"
    script.write_text(f"#!/bin/sh\nexec {sys.executable} {program}\n")
    script.chmod(0o755)
    return script


def test_the_server_takes_or_refuses_mutated_files(clone: Server) -> None:
    chance = random.Random(3)
    with httpx.Client(base_url=clone.url, timeout=30) as client:
        for number in range(40):
            path, name, fields = ROUTES[number % len(ROUTES)]
            data = mutant(list(whole()), chance)
            answer = client.post(path, data=fields, files={name: (_name(chance), data)})
            assert answer.status_code in (200, 201, 400, 413), (answer.text, data[:64])
            if answer.status_code >= 400:
                assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
                assert "/" not in answer.json()["error"]["message"].replace("/v1/", "")
    assert clone.status()["restarts"] == 0


def _name(chance: random.Random) -> str:
    return chance.choice(("me.wav", "../../etc/passwd", "a\\b\0.mp3", "; rm -rf ~", "x" * 2000, "声音.ogg"))


def test_a_broken_multipart_body_is_refused(clone: Server) -> None:
    chance = random.Random(4)
    good = httpx.Request("POST", f"{clone.url}/v1/audio/clips", files={"file": ("me.wav", whole()[0])})
    body, kind = good.read(), {"content-type": good.headers["content-type"]}
    with httpx.Client(timeout=30) as client:
        for _ in range(30):
            answer = client.post(good.url, content=mutant([body], chance), headers=kind)
            assert answer.status_code in (200, 201, 400, 413, 415, 422), answer.text


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(Invalid):
        fuzz.read_clip(b"")
