"""The real server with a tiny checkpoint: many users at once, each hears what they would alone."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile

from tests.api.server import Server, serving, until

from .voices import some_clips, sound, wav

TEXTS = (
    "你好，今天天气很好。",
    "Hello world, this is a test.",
    "我们一起去公园散步吧。",
    "Good morning, and thank you.",
)
EMOTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"emotion": "happy"},
    {"emotion": {"vector": [0, 0.5, 0, 0, 0.2, 0, 0, 0], "weight": 0.7}},
    {"emotion": {"vector": [0, 0, 0.4, 0, 0, 0.3, 0, 0], "random": True}},
)
CLOSE = 2e-3  # of full scale, after levelling and 16 bits


@pytest.fixture(scope="module")
def server(tiny25: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """IndexTTS-2.5 on the CPU, as somebody starts it who asks for it."""
    home = tmp_path_factory.mktemp("indextts")
    (home / "cache_hub").mkdir()
    (home / "cache_hub" / "indextts2.5").symlink_to(tiny25)
    flags = ("--engine", "indextts2.5", "--device", "cpu", "--timeout", "300")
    with serving(home, "--no-page", *flags) as running:
        yield running


def _upload(server: Server, number: int) -> None:
    answer = httpx.post(
        f"{server.url}/v1/audio/voices",
        data={"name": f"voice{number}", "statement": "This is my own voice."},
        files={"file": ("me.wav", wav(sound(number, 1.5)), "audio/wav")},
        timeout=30,
    )
    assert answer.status_code == 201, answer.text


def _say(server: Server, number: int) -> np.ndarray:
    body = {
        "model": "indextts2.5",
        "input": TEXTS[number % len(TEXTS)],
        "voice": f"voice{number}",
        "seed": number,
        "max_codes": 50,
        "diffusion_steps": 6,
        "response_format": "wav",
        **EMOTIONS[number % len(EMOTIONS)],
    }
    answer = httpx.post(f"{server.url}/v1/audio/speech", json=body, timeout=280)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-tts-engine"] == "indextts2.5"
    samples, rate = soundfile.read(io.BytesIO(answer.content), dtype="float32")
    assert rate == 22_050
    return np.asarray(samples)


def _users(server: Server, numbers: range) -> None:
    """Each alone, then all at once."""
    for number in numbers:
        _upload(server, number)
    alone = [_say(server, number) for number in numbers]
    with ThreadPoolExecutor(len(numbers)) as pool:
        together = list(pool.map(lambda number: _say(server, number), numbers))
    for one, other in zip(alone, together, strict=True):
        assert len(one) == len(other) > 2000
        assert np.abs(one - other).max() < CLOSE
    assert len({len(one) for one in alone}) > 1  # they do differ


def test_users_at_once_hear_what_each_would_alone(server: Server) -> None:
    _users(server, range(3))


@pytest.mark.slow
def test_ten_users_with_ten_voices_and_emotions_hear_what_each_would_alone(server: Server) -> None:
    _users(server, range(10, 20))


@pytest.mark.slow
def test_the_package_itself_mixes_up_two_users(package25: Any, tmp_path: Path) -> None:
    """Why there is an engine of our own: what two threads get of one instance of the package."""
    folder, keys = some_clips(tmp_path, 2)
    texts = ((TEXTS[0], "zh"), (TEXTS[1], "en"))

    def say(number: int, found: dict[int, object]) -> None:
        text, language = texts[number]
        clip = str(folder / f"{keys[number]}.wav")
        try:
            torch_seeded()
            _, samples = package25.infer(clip, text, None, language, num_beams=1, do_sample=False)
            found[number] = len(samples)
        except Exception as error:
            found[number] = repr(error)

    alone: dict[int, object] = {}
    for number in range(2):
        say(number, alone)
    assert _ever_differs(say, alone, rounds=12)


def torch_seeded() -> None:
    """The diffusion's noise must not be what differs."""
    import torch

    torch.manual_seed(0)


def _ever_differs(
    say: Callable[[int, dict[int, object]], None], alone: dict[int, object], rounds: int
) -> bool:
    for _ in range(rounds):
        together: dict[int, object] = {}
        threads = [threading.Thread(target=say, args=(number, together)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=240)
        if together != alone:
            return True
    return False


def test_each_line_of_a_script_sounds_as_its_voice_does_alone(server: Server) -> None:
    numbers = (20, 21)
    for number in numbers:
        _upload(server, number)
    cast = {f"Name {number}": {"voice": f"voice{number}", "seed": number} for number in numbers}
    for number in numbers:
        if emotion := EMOTIONS[number % len(EMOTIONS)].get("emotion"):
            cast[f"Name {number}"]["emotion"] = emotion
    script = "\n".join(f"Name {number}: {TEXTS[number % len(TEXTS)]}" for number in numbers)
    body = {"input": script, "cast": cast, "max_codes": 50, "diffusion_steps": 6}
    made = httpx.post(f"{server.url}/v1/audio/jobs", json=body, timeout=30).json()
    url = f"{server.url}/v1/audio/jobs/{made['id']}"
    until(lambda: httpx.get(url).json()["finished"], "the job has ended", 280)
    assert httpx.get(url).json()["state"] == "done"
    for line, number in enumerate(numbers, 1):
        answer = httpx.get(f"{url}/audio", params={"line": line, "format": "wav"})
        samples, _ = soundfile.read(io.BytesIO(answer.content), dtype="float32")
        alone = _say(server, number)
        assert len(samples) == len(alone) and np.abs(samples - alone).max() < CLOSE
