"""What a job may be asked to be, over HTTP: JSON, files, keys, limits."""

from __future__ import annotations

import json

import httpx
import pytest

from .asking import Jobs


def test_a_csv_names_its_columns_and_a_wrong_value_its_line(jobs: Jobs) -> None:
    table = "文本,语速,voice,note\n你好。,1.5,tone-b,x\n,,,\nWorld.,,,\n".encode("gb18030")
    made = jobs.send("lines.csv", table, seed="3", title="t").json()
    assert (made["lines"], made["characters"]) == (2, 9)
    wrong = jobs.send("x", b"text,voice\nA.,tone-a\nB.,nobody\n", kind="csv")
    assert wrong.status_code == 404
    assert wrong.json()["error"]["param"] == "lines.1.voice"
    slow = jobs.send("x.csv", b"text,speed\nA.,slowly\n").json()["error"]
    assert (slow["code"], slow["param"]) == ("not_a_number", "lines.0.speed")


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        ({}, 400, "empty_text", "input"),
        ({"input": " \n "}, 400, "empty_text", "input"),
        ({"input": "a", "lines": ["b"]}, 400, "bad_value", "input"),
        ({"input": "a", "voice": "nobody"}, 404, "voice_not_found", "voice"),
        ({"input": "a", "speed": 9}, 400, "out_of_range", "speed"),
        ({"input": "a", "emotion": "happy"}, 400, "unsupported", "emotion"),
        ({"input": "a", "top_p": 0.5}, 400, "unsupported", "top_p"),
        ({"input": "a", "model": "gpt"}, 404, "model_not_found", "model"),
        ({"lines": [{"text": "a"}, {"text": 5}]}, 400, "not_a_string", "lines.1.text"),
        ({"lines": [{"text": "a", "seed": 1}], "pause_ms": 5}, 400, "unsupported", "pause_ms"),
        ({"lines": ["a", {"text": "b", "language": "fr"}]}, 400, "bad_value", "lines.1.language"),
        (
            {"input": "a", "callback_url": "http://other.example/x"},
            400,
            "callback_not_allowed",
            "callback_url",
        ),
        ({"input": "a", "callback_url": "file:///etc/passwd"}, 400, "bad_value", "callback_url"),
        ({"input": "a", "callback_url": "http://u@localhost/"}, 400, "bad_value", "callback_url"),
    ],
)
def test_what_cannot_be_spoken_is_refused_at_once(
    jobs: Jobs, body: dict[str, object], status: int, code: str, param: str
) -> None:
    assert jobs.refused(**body) == (status, code, param)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.csv", b"a,b\nc,d\n"),
        ("x.json", b"{"),
        ("x.srt", b"1\n00:xx --> 3\nHi\n"),
        ("x.pdf", b"%"),
        ("x.txt", b""),
    ],
)
def test_a_file_that_cannot_be_read_is_a_400_in_one_line(jobs: Jobs, name: str, data: bytes) -> None:
    answer = jobs.send(name, data)
    assert answer.status_code == 400 and "\n" not in answer.json()["error"]["message"]


@pytest.mark.parametrize("name", ["film.srt", "book.txt", "lines.csv"])
def test_a_file_that_is_no_text_is_called_that_in_the_readers_language(jobs: Jobs, name: str) -> None:
    picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 4
    answer = jobs.send(name, picture)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "not_text", "file")
    assert "no text file" in error["message"]
    chinese = jobs.http.post(
        "/jobs", files={"file": (name, picture)}, headers={"Accept-Language": "zh-CN"}
    ).json()
    assert "不是文本文件" in chinese["error"]["message"]


def test_the_same_idempotency_key_leads_to_the_same_job(jobs: Jobs) -> None:
    headers = {"Idempotency-Key": "order-7"}
    first = jobs.http.post("/jobs", json={"input": "Once."}, headers=headers)
    again = jobs.http.post("/jobs", json={"input": "Once."}, headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == first.json()["id"]
    assert first.headers["location"].endswith(f"/v1/audio/jobs/{first.json()['id']}")
    other = jobs.http.post("/jobs", json={"input": "Twice."}, headers=headers)
    assert (other.status_code, other.json()["error"]["code"]) == (409, "idempotency_reused")


def test_unfinished_jobs_of_one_owner_are_limited(jobs: Jobs) -> None:
    made = [jobs.make(input="Held.")["id"] for _ in range(1)]
    made += [
        job["id"]
        for job in jobs.http.get("/jobs", params={"limit": 100}).json()["data"]
        if not job["finished"]
    ]
    ids = set(made)
    for job_id in ids:
        jobs.do(job_id, "pause")
    paused = [job for job in ids if jobs.see(job)["state"] == "paused"]
    while len(paused) < 8:
        paused.append(jobs.make(input="Held for long.")["id"])
        jobs.do(paused[-1], "pause")
        if jobs.see(paused[-1])["state"] != "paused":
            paused.pop()  # it was quicker
    assert jobs.refused(input="One more.")[:2] == (429, "too_many_jobs")
    for job_id in paused:
        jobs.do(job_id, "cancel")
    jobs.make(input="Room again.")


def test_the_route_is_described_for_json_and_files_and_its_examples_are_taken(jobs: Jobs) -> None:
    described = httpx.get(f"{jobs.server.url}/openapi.json").json()["paths"]["/v1/audio/jobs"]["post"]
    content = described["requestBody"]["content"]
    assert "file" in content["multipart/form-data"]["schema"]["properties"]
    schema = content["application/json"]["schema"]
    assert {"input", "lines", "voice", "temperature"} <= schema["properties"].keys()
    assert "$ref" not in json.dumps(schema)
    for example in schema["examples"]:
        jobs.do(jobs.make(example)["id"], "cancel")


@pytest.mark.parametrize("job_id", ["job-0", "%00", "..%2f..%2fkeys.json", "x" * 500, "%ff", "'%20OR%201=1"])
def test_an_id_that_is_none_is_not_found(jobs: Jobs, job_id: str) -> None:
    for path in ("", "/lines", "/audio"):
        assert jobs.http.get(f"/jobs/{job_id}{path}").status_code == 404
