"""Whatever may be asked for is spoken, and nothing that is asked for ends the engine."""

from __future__ import annotations

import io
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile

from index_tts_ui import engines
from index_tts_ui.parameters import PARAMETERS
from tests.api.cloning import added
from tests.api.server import serving

AT_ONCE = 8
DEAR = {"max_codes": 150, "diffusion_steps": 12}  # their most, mostly: more costs minutes
WORDS = [
    *("你好", "天气", "我们", "一起", "公园", "散步", "一二三", "行长", "2024年", "，", "。", "！", "？"),
    *("hello", "world", "Dr.", "3.14", "$20", "e-mail", "it's", "OK", ", ", ". ", "\n", "…", "—", "“", "”"),
    *("é", "ñ", "🙂", "龘", "①", "㎏", "\u200b", "ABC", "[pause 0.1s]", "<行|XING2>", "%", "&", "<b>", "\\"),
]
FEELINGS = ["happy", "sad", "angry", {"vector": [0.3] * 8}, {"vector": [0] * 8, "weight": 0}, "calm"]
JUDGED = {  # random weights may sound so; the code, and what the log says
    "silent_sound": "stayed silent",
    "runaway_sound": "far too long",
}


def _value(chance: random.Random, name: str) -> float:
    """From one end of its range to the other, the ends above all."""
    item = PARAMETERS[name]
    high = min(item.high, DEAR.get(name, item.high)) if chance.random() < 0.95 else item.high
    value = chance.choice([item.low, high, chance.uniform(item.low, high)])
    return round(value) if item.whole else value


def _request(number: int, engine: str) -> dict[str, Any]:
    chance = random.Random(number)
    words = chance.choices(WORDS, k=chance.choice([1, 3, 10, 40]))
    named = [name for name in engines.REGISTRY[engine].parameters if chance.random() < 0.5]
    body: dict[str, Any] = {
        "input": chance.choice(["", " "]).join(words) + chance.choice(["", "好", "word"]),
        "model": engine,
        "voice": "mine",
        "seed": chance.choice([0, 1, 2**31, chance.randrange(2**32)]),
        "response_format": "wav",
        "max_codes": DEAR["max_codes"],
        **{name: _value(chance, name) for name in named},
    }
    if chance.random() < 0.3:
        body["emotion"] = chance.choice(FEELINGS)
    if chance.random() < 0.3:
        body["speed"] = chance.choice([0.5, 1.0, 1.3, 2.0])
    return body


def _ask(url: str, body: dict[str, Any]) -> int:
    """The status; 0: cut off on the way, of which the log has the cause."""
    try:
        answer = httpx.post(f"{url}/v1/audio/speech", json=body, timeout=280)
    except httpx.RemoteProtocolError:
        return 0
    if answer.status_code == 200:
        samples, _ = soundfile.read(io.BytesIO(answer.content), dtype="float32")
        assert np.isfinite(samples).all(), body
    elif answer.status_code != 400:
        assert answer.json()["error"]["code"] in JUDGED, (body, answer.text)
    return answer.status_code


@pytest.mark.parametrize(
    ("version", "count"),
    [
        ("25", 40),
        pytest.param("25", 120, marks=pytest.mark.slow),
        pytest.param("2", 60, marks=pytest.mark.slow),
    ],
)
def test_nothing_that_may_be_asked_ends_the_engine(
    version: str, count: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    engine = {"25": "indextts2.5", "2": "indextts2"}[version]
    (tmp_path / "cache_hub").mkdir()
    (tmp_path / "cache_hub" / engine).symlink_to(request.getfixturevalue(f"tiny{version}"))
    flags = ("--no-page", "--engine", engine, "--device", "cpu", "--timeout", "300")
    with serving(tmp_path, *flags) as server:
        added(server, "mine")
        first = random.randrange(2**32)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            bodies = [_request(first + number, engine) for number in range(count)]
            codes = list(pool.map(lambda body: _ask(server.url, body), bodies))
        status = httpx.get(f"{server.url}/v1/status").json()
        assert status["restarts"] == 0, f"requests from {first} on"
        errors = (tmp_path / "logs" / "tts_error.log").read_text("utf-8").splitlines()
        cut = [line for line in errors if "cut off" in line]
        assert len(cut) == codes.count(0) and all(
            any(said in line for said in JUDGED.values()) for line in cut
        ), cut
        assert codes.count(200) > 0.5 * count, codes
