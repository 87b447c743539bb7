"""Scripts over HTTP: who speaks in which voice, what is wrong with a line, and lines that must fit their times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from ..api.cloning import added
from ..api.server import Server, serving, until
from .asking import Jobs

CHAR = 0.02  # seconds of sound of one character

SCRIPT = "Anna: Good day.\n小明：你好！\n\nNight falls.\nBob: Who is there?"


def read(jobs: Jobs, **body: Any) -> dict[str, Any]:
    """POST /jobs/lines."""
    answer = jobs.http.post("/jobs/lines", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def spoken(jobs: Jobs, made: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What the engine was given for the job, by its text."""
    return {one["text"]: one for one in jobs.received() if one["id"].startswith(made["id"])}


def test_each_name_is_spoken_in_its_own_voice(jobs: Jobs) -> None:
    cast = {"Anna": {"voice": "tone-b", "speed": 2.0}, "小明": {"language": "zh"}}
    made = jobs.make(input=SCRIPT, cast=cast, voice="tone-a", speed=0.5)
    assert jobs.ended(made["id"])["state"] == "done"
    given = spoken(jobs, made)
    assert {text: one["voices"][0]["key"] for text, one in given.items()} == {
        "Good day.": "tone-b",
        "你好！": "tone-a",
        "Night falls.": "tone-a",
        "Who is there?": "tone-a",
    }
    assert (given["Good day."]["params"]["speed"], given["你好！"]["params"]["speed"]) == (2.0, 0.5)
    page = jobs.http.get(f"/jobs/{made['id']}/lines").json()
    assert [line["speaker"] for line in page["data"]] == ["Anna", "小明", "", "Bob"]
    assert page["cast"]["Anna"]["voice"] == "tone-b" and page["settings"]["speed"] == 0.5
    assert page["data"][0]["voice"] is None, "it speaks as its name does"


def test_a_line_may_differ_from_its_name(jobs: Jobs) -> None:
    lines = [{"text": "Mine.", "speaker": "Anna", "voice": "tone-a"}, {"text": "Hers.", "speaker": "Anna"}]
    made = jobs.make(lines=lines, cast={"Anna": {"voice": "tone-b", "seed": 7}})
    jobs.ended(made["id"])
    given = spoken(jobs, made)
    assert [given[text]["voices"][0]["key"] for text in ("Mine.", "Hers.")] == ["tone-a", "tone-b"]
    assert given["Mine."]["seed"] == 7


def test_lines_are_read_without_making_a_job_and_told_what_is_wrong_with_them(jobs: Jobs) -> None:
    before = jobs.http.get("/jobs").json()["data"]
    page = read(jobs, input=SCRIPT, kind="auto", cast={})
    assert page["data"] == [
        {"text": "Good day.", "speaker": "Anna"},
        {"text": "你好！", "speaker": "小明"},
        {"text": "Night falls."},
        {"text": "Who is there?", "speaker": "Bob"},
    ]
    table = "text,voice,speed\nA.,nobody,\nB.,tone-a,slowly\nC.,tone-b,2\n"
    answer = jobs.http.post("/jobs/lines", files={"file": ("x.csv", table.encode())}, data={"cast": "{}"})
    one, two, three = answer.json()["data"]
    assert answer.json()["problems"] == 2
    assert [(one["problems"][0]["code"], one["problems"][0]["param"])] == [
        ("voice_not_found", "lines.0.voice")
    ]
    assert one["problems"][0]["message_zh"] and one["voice"] == "nobody"
    assert (two["problems"][0]["param"], two["speed"]) == ("lines.1.speed", "slowly")
    assert three == {"text": "C.", "voice": "tone-b", "speed": 2.0}
    again = read(jobs, lines=["A.", {"text": "B.", "speaker": "Bob"}, 5], cast={"Bob": {"voice": "nobody"}})
    wrong = [[problem["param"] for problem in line.get("problems", [])] for line in again["data"]]
    assert wrong[:2] == [[], ["cast.Bob.voice"]] and wrong[2]
    assert jobs.http.get("/jobs").json()["data"] == before


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"input": ""}, "empty_text", "input"),
        ({"input": "x", "kind": "srt"}, "empty_text", "input"),
        ({"input": "{", "kind": "json"}, "bad_file", "input"),
        ({"lines": "x"}, "bad_value", "lines"),
        ({"lines": ["x"], "cast": []}, "bad_value", "cast"),
        ({"lines": ["x"], "fit": 9}, "out_of_range", "fit"),
        ([], "bad_request", None),
    ],
)
def test_what_cannot_be_read_at_all_is_refused(jobs: Jobs, body: Any, code: str, param: str | None) -> None:
    answer = jobs.http.post("/jobs/lines", json=body)
    assert answer.status_code == 400, answer.text
    assert (answer.json()["error"]["code"], answer.json()["error"]["param"]) == (code, param)


def test_a_wrong_cast_or_slot_is_refused_by_name(jobs: Jobs) -> None:
    line = {"text": "x", "speaker": "Bob"}
    assert jobs.refused(lines=[line], cast={"Bob": {"voice": "nobody"}})[1:] == (
        "voice_not_found",
        "cast.Bob.voice",
    )
    assert jobs.refused(lines=[{**line, "start": 3, "end": 2}])[1:] == ("bad_value", "lines.0.end")
    assert jobs.refused(lines=[{**line, "emotion": "happy"}])[1:] == ("unsupported", "lines.0.emotion")


def test_a_line_longer_than_its_slot_is_spoken_faster_and_others_are_left_alone(jobs: Jobs) -> None:
    """20 ms of sound a character: 50 of them take a second."""
    long = "A" * 50
    lines = [
        {"text": long, "start": 0, "end": 0.8},
        {"text": "B" * 50, "start": 1, "end": 2.5},
        {"text": "C" * 50, "start": 3, "end": 3.3},
        {"text": "D" * 50},
    ]
    made = jobs.make(lines=lines, fit=1.6, speed=1.0)
    assert jobs.ended(made["id"])["state"] == "done"
    one, two, three, four = jobs.http.get(f"/jobs/{made['id']}/lines").json()["data"]
    assert one["segments"][0]["seconds"] <= 0.8 * 1.02 and 1.2 < one["fit"] < 1.35 and one["over"] == 0
    assert (two["fit"], two["over"], four["fit"], four["over"]) == (1, 0, 1, 0)
    assert three["fit"] == 1.6 and three["over"] == pytest.approx(1 / 1.6 - 0.3, abs=0.05)
    given = [
        (one["text"][0], one["params"]["speed"])
        for one in jobs.received()
        if one["id"].startswith(made["id"])
    ]
    assert sorted(given)[:2] == [("A", 1.0), ("A", one["fit"])]
    assert [speed for letter, speed in given if letter in "BD"] == [1.0, 1.0], "spoken once, as asked"
    assert len({seed["seed"] for seed in jobs.received() if seed["text"] == long}) == 1, (
        "the same, but faster"
    )


def test_without_fit_a_long_line_stays_and_says_by_how_much_it_is_too_long(jobs: Jobs) -> None:
    made = jobs.make(lines=[{"text": "E" * 50, "start": 0, "end": 0.5}])
    jobs.ended(made["id"])
    (line,) = jobs.http.get(f"/jobs/{made['id']}/lines").json()["data"]
    assert (line["fit"], line["over"]) == (1, pytest.approx(0.5, abs=0.05))


def test_a_line_is_made_again_in_another_way(jobs: Jobs) -> None:
    made = jobs.make(lines=[{"text": "Once more.", "speaker": "Bob"}], cast={"Bob": {"voice": "tone-a"}})
    jobs.ended(made["id"])
    assert jobs.do(made["id"], "retry", line=1, voice="tone-b", speed=2.0, seed=5).status_code == 200
    jobs.ended(made["id"])
    last = jobs.received()[-1]
    assert (last["text"], last["voices"][0]["key"], last["params"]["speed"], last["seed"]) == (
        *("Once more.", "tone-b"),
        *(2.0, 5),
    )
    (line,) = jobs.http.get(f"/jobs/{made['id']}/lines").json()["data"]
    assert (line["voice"], line["speed"], line["seed"]) == ("tone-b", 2.0, 5)
    refused = jobs.do(made["id"], "retry", line=1, voice="nobody")
    assert (refused.status_code, refused.json()["error"]["param"]) == (404, "voice")
    assert jobs.do(made["id"], "retry", voice="tone-b").json()["error"]["param"] == "line"
    assert (
        jobs.do(made["id"], "retry", line=1, segment=0, voice="tone-b").json()["error"]["param"] == "segment"
    )


def figures(server: Server) -> dict[str, float]:
    """GET /metrics, of jobs."""
    text = httpx.get(f"{server.url}/metrics", timeout=20).text
    rows = (row.rpartition(" ") for row in text.splitlines() if row.startswith("tts_job"))
    return {name: float(value) for name, _, value in rows}


def test_jobs_are_counted(jobs: Jobs) -> None:
    before = figures(jobs.server)
    made = jobs.make(lines=["One. Two.", "Three [[fail]]."])
    jobs.ended(made["id"])
    until(jobs.server.is_idle, "nothing runs")
    now = figures(jobs.server)

    def grown(name: str) -> float:
        return now[name] - before.get(name, 0)

    assert grown('tts_jobs{state="failed"}') == 1 and grown('tts_jobs_ended_total{outcome="failed"}') == 1
    assert grown('tts_job_segments_total{outcome="done"}') == 2
    assert grown('tts_job_segments_total{outcome="failed"}') == 1
    paused = jobs.make(lines=["Word after word."] * 40)
    jobs.do(paused["id"], "pause")
    assert figures(jobs.server)["tts_job_lines_waiting"] >= 20
    jobs.do(paused["id"], "cancel")


def test_a_backup_engine_speaks_for_stock_names_and_for_a_persons_voice_only_where_any_will_do(
    tmp_path: Path,
) -> None:
    """What ``fallback`` and stock names mean to /v1/audio/speech, they mean to jobs and each name of their cast."""
    flags = ["--engine", "tone-clone", "--no-page", "--backup", "tone", "--rate", "off"]
    options = ["--engine-options", "char_ms=20,backup.deaf=1,backup.char_ms=20"]
    with serving(tmp_path, *flags, *options) as server:
        added(server, "Anna")
        jobs = Jobs(server)
        lines = [{"text": "One [[fail]].", "speaker": name} for name in ("", "Stock", "Person")]
        body = {
            "lines": lines,
            "voice": "nova",
            "cast": {"Stock": {"voice": "alloy"}, "Person": {"voice": "Anna"}},
        }
        strict, any_will_do = jobs.make(body)["id"], jobs.make(body, fallback="any")["id"]
        for made in (strict, any_will_do):
            jobs.ended(made)
        engines = [[one["engine"] for one in jobs.segments(made)] for made in (strict, any_will_do)]
        assert engines == [["tone", "tone", ""], ["tone", "tone", "tone"]]
        jobs.http.close()
