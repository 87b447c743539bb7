"""The segments of a kept output: made again, compared, chosen; the rest stays as it is, bit for bit."""

from __future__ import annotations

import io
import re
import subprocess
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from ..hearing import decode_any, transcribe, words
from .server import Server, serving, until

RATE = 24_000
TEXT = "The first one is here. Aaaaaaaaaaaa. And this is how it ends."
SECOND = "Aaaaaaaaaaaa."


class Output:
    """A kept output, asked over HTTP."""

    def __init__(self, server: Server, text: str = TEXT, **fields: Any) -> None:
        self.http = httpx.Client(base_url=server.url, timeout=60)
        # as events: what fails half way then still has an end
        body = {
            "model": "tone",
            "voice": "tone-a",
            "input": text,
            "keep": True,
            "stream_format": "sse",
            **fields,
        }
        self.answer = self.http.post("/v1/audio/speech", json=body)
        self.id = self.answer.headers["x-tts-output"]
        self.path = f"/v1/audio/outputs/{self.id}"

    def segments(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.http.get(f"{self.path}/segments").json()["segments"]
        return found

    def take(self, index: int, status: int = 201, **fields: Any) -> dict[str, Any]:
        answer = self.http.post(f"{self.path}/segments/{index}/takes", json=fields)
        assert answer.status_code == status, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def choose(self, index: int, take: int) -> dict[str, Any]:
        told: dict[str, Any] = self.http.put(f"{self.path}/segments/{index}", json={"take": take}).json()
        return told

    def samples(self, path: str = "", **query: Any) -> np.ndarray:
        """Int16, of the whole or of what is at ``path``."""
        answer = self.http.get(self.path + path, params={"format": "wav", **query})
        assert answer.status_code == 200, answer.text
        with wave.open(io.BytesIO(answer.content)) as file:
            return np.frombuffer(file.readframes(file.getnframes()), "<i2")


Make = Callable[..., Output]


@pytest.fixture
def make() -> Iterator[Make]:
    """Outputs, for as long as a test lasts."""
    made: list[Output] = []

    def output(*args: Any, **fields: Any) -> Output:
        made.append(Output(*args, **fields))
        return made[-1]

    yield output
    for one in made:
        one.http.close()


def pitch(samples: np.ndarray) -> float:
    """The strongest frequency, in Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum)) * RATE / len(samples)


def tone_of(character: str) -> float:
    return float(220 * 2 ** ((ord(character) % 36) / 12))


def place(segment: dict[str, Any]) -> slice:
    start, length = (round(segment[key] * RATE) for key in ("start", "seconds"))
    return slice(start, start + length)


def test_a_segment_made_again_is_stitched_in_and_the_rest_is_the_same_bit_for_bit(
    tone: Server, make: Make
) -> None:
    output = make(tone)
    before, was = output.samples(), place(output.segments()[1])
    told = output.take(1, text="Bbbbbbbbbbbbbbbb.")
    after, now = output.samples(), place(output.segments()[1])
    assert (told["text"], told["chosen"], len(told["takes"])) == ("Bbbbbbbbbbbbbbbb.", 2, 2)
    assert np.array_equal(after[: now.start], before[: was.start])
    assert np.array_equal(after[now.stop :], before[was.stop :])
    assert pitch(before[was]) == pytest.approx(tone_of("a"), rel=0.03)
    assert pitch(after[now]) == pytest.approx(tone_of("b"), rel=0.03)
    assert np.array_equal(output.samples("/segments/1/audio"), after[now])
    assert np.array_equal(output.samples("/segments/1/audio", take=1), before[was])
    assert output.choose(1, 1)["text"] == SECOND
    assert np.array_equal(output.samples(), before)


def test_the_same_text_and_seed_give_the_same_samples_as_the_first_time(tone: Server, make: Make) -> None:
    """It is levelled with what the request's leveller knew there."""
    output = make(tone, "Ii. Hhhhhhhhhhhhhhh oo. Zz. 4444 4.", seed=7)
    before = output.samples()
    for index in range(4):
        assert output.take(index, seed=7)["chosen"] == 2
    assert np.array_equal(output.samples(), before)


def test_a_seam_has_no_step_and_no_jump_in_loudness(tone: Server, make: Make) -> None:
    output = make(tone)
    output.take(1, text="Cccccccccccc.", speed=0.7)
    sound, seam = output.samples() / 32768, place(output.segments()[1])
    steepest = np.abs(np.diff(sound[: seam.start])).max()
    for edge in (seam.start, seam.stop):
        assert np.abs(np.diff(sound[edge - 200 : edge + 200])).max() <= steepest
        assert abs(sound[edge - 1]) < 1e-4 > abs(sound[edge])
    loud = [
        np.sqrt(np.mean(part**2))
        for part in (sound[seam], output.samples("/segments/1/audio", take=1) / 32768)
    ]
    assert 20 * abs(np.log10(loud[0] / loud[1])) < 1.5


def test_what_is_absent_stays_as_in_the_chosen_take_but_for_the_seed(tone: Server, make: Make) -> None:
    output = make(tone, speed=0.8)
    first = output.segments()[1]["takes"][0]
    output.take(1, voice="tone-b")
    told = output.take(1, choose=False)
    second, third = told["takes"][1:]
    assert told["chosen"] == 2, "it was not to be chosen"
    kept = [(take["text"], take["voice"], take["speed"]) for take in (first, second, third)]
    assert kept == [(SECOND, "tone-a", 0.8), (SECOND, "tone-b", 0.8), (SECOND, "tone-b", 0.8)]
    assert len({take["seed"] for take in (first, second, third)}) == 3


def test_a_long_new_text_is_one_segment_however_the_engine_cuts_it(tone: Server, make: Make) -> None:
    output = make(tone)
    told = output.take(1, text="One sentence more. " * 12)
    assert len(output.segments()) == 3 and told["seconds"] > 12 * 18 * 0.06
    assert len(output.samples()) == sum(round(one["seconds"] * RATE) for one in output.segments())


def test_downloads_subtitles_and_the_stream_follow_the_choice(tone: Server, make: Make) -> None:
    output = make(tone)
    output.take(1, text="Something else --> here.")
    seconds = len(output.samples()) / RATE
    for fmt in ("mp3", "opus", "flac"):
        sound, rate = decode_any(output.http.get(output.path, params={"format": fmt}).content)
        assert len(sound) / rate == pytest.approx(seconds, abs=0.1)
    answer = output.http.get(f"{output.path}/subtitles")
    vtt = output.http.get(f"{output.path}/subtitles", params={"format": "vtt"}).text
    assert answer.headers["content-disposition"].endswith('.srt"') and vtt.startswith("WEBVTT\n")
    cue = output.segments()[1]
    assert f"00:00:0{cue['start']:.3f}".replace(".", ",") + " --> " in answer.text
    assert "Something else → here." in answer.text and SECOND not in answer.text
    ends = vtt.split("Something else")[0].rstrip().splitlines()[-1].split(" --> ")[1]
    assert float(ends[-6:]) == pytest.approx(cue["start"] + cue["seconds"] - 0.1, abs=0.002), (
        "without the pause"
    )
    stream = output.http.get(f"/v1/requests/{output.id}/stream").text
    assert f'"index":1,"start":{cue["start"]:g},"seconds":{cue["seconds"]:g}' in stream


def test_takes_are_deleted_but_not_the_first(tone: Server, make: Make) -> None:
    output = make(tone)
    before = output.samples()
    output.take(1, text="Bbbb.")
    told = output.http.delete(f"{output.path}/segments/1/takes/2").json()
    assert (told["chosen"], len(told["takes"])) == (1, 1) and np.array_equal(output.samples(), before)
    for number, status, code in ((1, 409, "take_original"), (2, 404, "take_not_found")):
        answer = output.http.delete(f"{output.path}/segments/1/takes/{number}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_a_segment_holds_nine_takes(tone: Server, make: Make) -> None:
    output = make(tone)
    for number in range(2, 10):
        assert len(output.take(1)["takes"]) == number
    assert output.take(1, status=409)["error"]["code"] == "takes_full"
    output.take(0)


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("segments/3/takes", {}, 404, "segment_not_found"),
        ("segments/-1/takes", {}, 400, "out_of_range"),
        ("segments/1/takes", {"text": "  "}, 400, "empty_text"),
        ("segments/1/takes", {"text": "!!"}, 400, "nothing_to_speak"),
        ("segments/1/takes", {"text": "a" * 5000}, 400, "text_too_long"),
        ("segments/1/takes", {"voice": "nobody"}, 404, "voice_not_found"),
        ("segments/1/takes", {"speed": 9}, 400, "out_of_range"),
        ("segments/1/takes", {"top_p": 0.5}, 400, "unsupported"),
        ("segments/1/takes", {"emotion": "happy"}, 400, "unsupported"),
        ("segments/1/takes", {"text": "It [[fail]] again."}, 500, "engine_failed"),
    ],
)
def test_what_cannot_be_made_is_refused_and_changes_nothing(
    shared: Output, path: str, body: dict[str, Any], status: int, code: str
) -> None:
    answer = shared.http.post(f"{shared.path}/{path}", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    assert [len(segment["takes"]) for segment in shared.segments()] == [1, 1, 1]


@pytest.fixture(scope="module")
def shared(tone: Server) -> Iterator[Output]:
    output = Output(tone)
    yield output
    output.http.close()


def test_only_what_is_there_can_be_chosen_or_heard(shared: Output) -> None:
    for answer in (
        shared.http.put(f"{shared.path}/segments/1", json={"take": 5}),
        shared.http.get(f"{shared.path}/segments/1/audio", params={"take": 5}),
        shared.http.get(f"{shared.path}/segments/7/audio"),
        shared.http.get(f"/v1/audio/outputs/{'x' * 24}/segments"),
    ):
        assert answer.status_code == 404, answer.text


def test_a_take_that_its_client_gives_up_frees_the_engine_and_is_not_kept(slow: Server, make: Make) -> None:
    output = make(slow, "One. Two.")
    with pytest.raises(httpx.ReadTimeout):
        output.http.post(f"{output.path}/segments/1/takes", json={"text": "a" * 400}, timeout=0.3)
    until(slow.is_idle, "the engine is idle again")
    assert len(output.segments()[1]["takes"]) == 1


def test_what_failed_half_way_is_kept_and_completed(tone: Server, make: Make) -> None:
    output = make(tone, "Fine. Bad [[fail]] one. Never.")
    assert "speech.audio.error" in output.answer.text
    refused = output.http.get(output.path)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "output_incomplete")
    part = output.samples(partial=True)
    assert [segment["chosen"] for segment in output.segments()] == [1, None, None]
    output.take(1, text="Good one.")
    assert output.http.get(output.path).status_code == 409
    output.take(2)
    assert [segment["text"] for segment in output.segments()] == ["Fine.", "Good one.", "Never."]
    assert np.array_equal(output.samples()[: len(part)], part)
    assert '"error":null' in output.http.get(f"/v1/requests/{output.id}/stream").text


@pytest.mark.slow
def test_takes_survive_the_sudden_death_of_the_server_and_only_their_owner_may_go_on(
    tmp_path: Path, make: Make
) -> None:
    flags = ("--engine", "tone", "--no-page", "--trusted-proxies", "127.0.0.1")
    with serving(tmp_path, *flags) as server:
        output = make(server)
        output.take(1, text="Bbbbbbbbbbb.")
        after, told = output.samples(), output.segments()
        server.process.kill()
        server.process.wait()
    with serving(tmp_path, *flags) as server:
        output.http.base_url = httpx.URL(server.url)
        assert output.segments() == told and np.array_equal(output.samples(), after)
        assert len(output.take(1, text="Cccc.")["takes"]) == 3
        output.http.headers["X-Forwarded-For"] = "192.0.2.7"
        assert len(output.segments()) == 3, "whoever knows the id may hear it"
        assert output.http.get(f"{output.path}/segments").json()["yours"] is False
        assert output.take(1, status=403)["error"]["code"] == "output_not_yours"
        assert output.http.put(f"{output.path}/segments/1", json={"take": 1}).status_code == 403
        assert output.http.delete(f"{output.path}/segments/1/takes/2").status_code == 403


def guide(name: str) -> list[str]:
    """The commands of docs/repair."""
    path = Path(__file__).parent.parent.parent / "docs" / name
    return re.findall(r"^```bash\n(.*?)^```$", path.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def test_the_guide_works_and_is_the_same_in_both_languages(tone: Server, tmp_path: Path) -> None:
    assert guide("repair.md") == guide("repair.zh-CN.md")
    (command,) = guide("repair.md")
    command = command.replace("http://127.0.0.1:7860", tone.url)
    subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=tmp_path, timeout=60, check=True)
    whole, mended = (
        len(decode_any((tmp_path / name).read_bytes())[0]) for name in ("whole.mp3", "mended.mp3")
    )
    assert mended > whole
    assert "The ferry leaves at ten." in (tmp_path / "mended.srt").read_text("utf-8")


@pytest.mark.slow
def test_a_repaired_sentence_is_heard_between_the_others(kokoro: Server, make: Make) -> None:
    sentences = [
        "The old bridge crosses a quiet river.",
        "Seven children play by the water.",
        "Nobody was in a hurry.",
    ]
    output = make(kokoro, " ".join(sentences), model="kokoro", voice="af_heart")
    number = next(one["index"] for one in output.segments() if "Seven" in one["text"])
    new = output.segments()[number]["text"].replace("Seven children play", "Eleven horses drink")
    output.take(number, text=new, voice="bm_george")
    heard = words(transcribe(output.samples() / 32768, RATE, "en"))
    said = words(" ".join(one["text"] for one in output.segments()))
    assert sum(word in heard for word in said) >= 0.9 * len(said), heard
    assert {"eleven", "horses", "bridge", "hurry"} <= set(heard) and "children" not in heard
