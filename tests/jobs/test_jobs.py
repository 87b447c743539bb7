"""Jobs over HTTP, with a real server and the test engine behind it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import wave
import zipfile

import httpx
import pytest

from ..api.server import until
from ..hearing import decode_any
from .asking import Jobs
from .conftest import Listener

CHAR = 0.02  # seconds of sound of one character


def wav_seconds(data: bytes) -> float:
    """By the sizes in its header."""
    with wave.open(io.BytesIO(data)) as sound:
        return sound.getnframes() / sound.getframerate()


def events(jobs: Jobs, job_id: str, last: str = "") -> list[tuple[str, str, dict]]:  # type: ignore[type-arg]
    """(id, event, data) of its whole stream."""
    found = []
    with jobs.http.stream(
        "GET", f"/jobs/{job_id}/events", headers={"Last-Event-ID": last}, timeout=20
    ) as stream:
        for block in "".join(stream.iter_text()).split("\n\n"):
            fields = dict(row.partition(": ")[::2] for row in block.splitlines() if not row.startswith(":"))
            if fields:
                found.append((fields.get("id", ""), fields["event"], json.loads(fields["data"])))
    return found


def test_a_text_is_spoken_line_by_line_and_fetched_as_one_file(jobs: Jobs) -> None:
    made = jobs.make(input="First line. It has two.\n\n***\n第三行。", title=" My \n book ", gap_ms=500)
    assert (made["state"], made["title"], made["lines"]) == ("queued", "My book", 3)
    done = jobs.ended(made["id"])
    assert (done["state"], done["progress"], done["segments_failed"]) == ("done", 1.0, 0)
    segments = jobs.segments(made["id"])
    assert [(one["line"], one["text"], one["state"]) for one in segments] == [
        (1, "First line.", "done"),
        (1, "It has two.", "done"),
        (2, "***", "empty"),
        (3, "第三行。", "done"),
    ]
    sound = jobs.http.get(f"/jobs/{made['id']}/audio", params={"format": "wav"}).content
    spoken = sum(one["seconds"] for one in segments)
    assert spoken + 0.5 <= wav_seconds(sound) <= spoken + 0.5 + 0.7  # a pause in the line, a gap behind it
    for fmt in ("mp3", "opus", "flac"):
        samples, rate = decode_any(jobs.http.get(f"/jobs/{made['id']}/audio", params={"format": fmt}).content)
        assert abs(len(samples) / rate - wav_seconds(sound)) < 0.15
    one = jobs.http.get(f"/jobs/{made['id']}/audio", params={"format": "wav", "line": 3}).content
    assert wav_seconds(one) == pytest.approx(segments[3]["seconds"], abs=0.001)


def test_every_line_may_have_its_own_voice_speed_and_seed(jobs: Jobs) -> None:
    lines = [{"text": "Apple.", "voice": "tone-b", "speed": 2.0, "seed": 9}, "Birch."]
    made = jobs.make(lines=lines, voice="tone-a", seed=4)
    jobs.ended(made["id"])
    given = {one["text"]: one for one in jobs.received()}
    assert given["Apple."]["voices"][0]["key"] == "tone-b" and given["Birch."]["voices"][0]["key"] == "tone-a"
    assert (given["Apple."]["seed"], given["Apple."]["params"]["speed"]) == (9, 2.0)
    assert (given["Birch."]["seed"], given["Birch."]["params"]["speed"]) == (4, 1.0)


def test_a_zip_has_a_file_for_each_line_and_subtitles_that_fit(jobs: Jobs) -> None:
    made = jobs.make(lines=[{"text": "One. Two.", "name": "a/../b"}, "Three & <four>."])
    jobs.ended(made["id"])
    answer = jobs.http.get(f"/jobs/{made['id']}/zip", params={"format": "wav"})
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    assert archive.namelist()[:2] == ["00001-a----b.wav", "00002.wav"]
    assert all(wav_seconds(archive.read(name)) > 0.1 for name in archive.namelist()[:2])
    vtt = jobs.http.get(f"/jobs/{made['id']}/subtitles", params={"format": "vtt"}).text
    assert vtt.startswith("WEBVTT\n\n1\n00:00:00.000 --> ") and "Three &amp; &lt;four&gt;." in vtt
    assert archive.read(f"{made['id']}.vtt").decode() == vtt


def test_the_cues_of_an_srt_begin_at_their_times_or_when_the_one_before_has_ended(jobs: Jobs) -> None:
    srt = "1\r\n00:00:01,500 --> 00:00:02,000\r\n<i>First</i> cue\r\n\r\n2\r\n00:00:01,600 --> 00:00:03,000\r\nNext\r\n"
    answer = jobs.send("film.srt", srt.encode("utf-16"), voice="tone-b")
    assert answer.status_code == 201, answer.text
    job_id = answer.json()["id"]
    jobs.ended(job_id)
    text = jobs.http.get(f"/jobs/{job_id}/subtitles").text
    first = jobs.segments(job_id)[0]["seconds"]
    end = f"00:00:0{1.5 + first:.3f}".replace(".", ",")
    assert f"00:00:01,500 --> {end}\nFirst cue" in text and f"2\n{end} --> " in text
    sound = jobs.http.get(f"/jobs/{job_id}/audio", params={"format": "wav"}).content
    assert wav_seconds(sound) > 1.5 + first


def test_progress_comes_as_events_and_goes_on_behind_the_last_one_seen(jobs: Jobs) -> None:
    made = jobs.make(lines=[f"Line number {number} of these." for number in range(12)])
    told = events(jobs, made["id"])
    assert [event for _, event, _ in told][-1] == "ended"
    seen = [one["line"] for _, event, data in told if event == "segments" for one in data["segments"]]
    assert set(seen) == set(range(1, 13))
    progress = [data["progress"] for _, event, data in told if event != "segments"]
    assert progress == sorted(progress) and progress[-1] == 1.0
    (last,) = events(jobs, made["id"], last=told[-1][0])
    assert last[1] == "ended"


def test_a_paused_job_waits_and_a_cancelled_one_keeps_what_it_has(jobs: Jobs) -> None:
    made = jobs.make(lines=["Some words to be spoken, slowly, by the engine."] * 60)
    until(lambda: jobs.see(made["id"])["segments_done"], "something is spoken")
    assert jobs.http.get(f"/jobs/{made['id']}/audio").status_code == 409
    paused = jobs.do(made["id"], "pause").json()
    assert paused["state"] == "paused"
    until(jobs.server.is_idle, "what ran has ended")
    still = jobs.see(made["id"])["segments_done"]
    assert still < 60 and jobs.see(made["id"])["segments_done"] == still
    assert jobs.do(made["id"], "resume").json()["state"] == "queued"
    until(lambda: jobs.see(made["id"])["segments_done"] > still, "it goes on")
    assert jobs.do(made["id"], "cancel").json()["state"] == "cancelled"
    until(jobs.server.is_idle, "nothing of it runs")
    part = jobs.http.get(f"/jobs/{made['id']}/audio", params={"format": "wav", "partial": True})
    assert wav_seconds(part.content) > 0.5
    for what in ("pause", "resume", "retry"):
        assert jobs.do(made["id"], what).json()["error"]["code"] == "job_state"
    assert jobs.http.delete(f"/jobs/{made['id']}").json()["deleted"] is True
    assert jobs.http.get(f"/jobs/{made['id']}").status_code == 404
    assert not (jobs.server.home / "jobs" / made["id"]).exists()


def test_a_failed_segment_fails_alone_and_is_made_again_with_other_words(jobs: Jobs) -> None:
    made = jobs.make(lines=["Good one. Good two.", "Bad [[fail]] one."])
    failed = jobs.ended(made["id"])
    assert (failed["state"], failed["segments_done"], failed["segments_failed"]) == ("failed", 2, 1)
    error = jobs.segments(made["id"])[2]["error"]
    assert error["code"] == "engine_failed" and error["message_zh"]
    before = {one["id"] for one in jobs.received()}
    assert jobs.do(made["id"], "retry", line=2, text="Better one.").status_code == 200
    done = jobs.ended(made["id"])
    assert (done["state"], done["segments_done"]) == ("done", 3)
    assert [one["text"] for one in jobs.received() if one["id"] not in before] == ["Better one."]


def test_a_single_spoken_segment_is_made_again_with_a_new_seed(jobs: Jobs) -> None:
    made = jobs.make(lines=["Same here. Other there."])
    jobs.ended(made["id"])
    before = jobs.received()
    jobs.do(made["id"], "retry", line=1, segment=1)
    assert jobs.ended(made["id"])["state"] == "done"
    (again,) = jobs.received()[len(before) :]
    assert again["text"] == "Other there." and again["seed"] != 0
    files = list((jobs.server.home / "jobs" / made["id"]).glob("1-1-*.pcm"))
    assert [file.name for file in files] == ["1-1-1.pcm"]
    for wrong in ({"line": 9}, {"line": 1, "segment": 5}):
        assert jobs.do(made["id"], "retry", **wrong).status_code == 404
    assert jobs.do(made["id"], "retry", segment=1).json()["error"]["param"] == "line"


def test_nobody_sees_the_jobs_of_another(jobs: Jobs) -> None:
    """The other one comes from another loopback address."""
    mine = jobs.make(input="Mine alone.")["id"]
    transport = httpx.HTTPTransport(local_address="127.0.0.2")
    with httpx.Client(base_url=str(jobs.http.base_url), transport=transport) as other:
        assert other.get("/jobs").json() == {"object": "list", "data": [], "has_more": False}
        for path in ("", "/lines", "/events", "/audio", "/zip", "/subtitles"):
            assert other.get(f"/jobs/{mine}{path}").status_code == 404
        for what in ("pause", "resume", "cancel", "retry"):
            assert other.post(f"/jobs/{mine}/{what}").status_code == 404
        assert other.delete(f"/jobs/{mine}").status_code == 404
    newest = jobs.http.get("/jobs", params={"limit": 1}).json()
    assert newest["data"][0]["id"] == mine and newest["has_more"]
    older = jobs.http.get("/jobs", params={"limit": 1, "after": mine}).json()["data"]
    assert older and older[0]["id"] != mine
    jobs.ended(mine)


def test_a_callback_is_signed_tried_again_and_sent_once(jobs: Jobs, listener: Listener) -> None:
    listener.refusals = 1
    url = f"http://{listener.host}/done?x=1"
    made = jobs.make(input="Tell me.", callback_url=url)["id"]
    until(lambda: jobs.see(made)["callback"] == "sent", "the callback is taken", 20)
    calls = listener.of(made)
    assert len(calls) == 2 and calls[0][1] == calls[1][1]
    headers, body = calls[1]
    key = base64.b64decode(
        (jobs.server.home / "jobs/callback.key").read_text().strip().removeprefix("whsec_")
    )
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{wanted}"
    assert headers["webhook-id"] == calls[0][0]["webhook-id"]
    told = json.loads(body)
    assert (told["type"], told["data"]["id"], told["data"]["state"]) == ("job.done", made, "done")
    assert (jobs.server.home / "jobs/callback.key").stat().st_mode & 0o077 == 0
