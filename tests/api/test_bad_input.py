"""Whatever comes in wrong goes out as a clear 4xx in the envelope, and the next request speaks."""

from __future__ import annotations

import json
import socket
from typing import Any

import httpx
import pytest

from .server import Server

GOOD = {"model": "tone", "input": "Hello.", "voice": "alloy", "response_format": "wav"}
JSON = {"content-type": "application/json"}


def changed(**fields: Any) -> bytes:
    """A good body with other values; Python's JSON can say NaN and lone surrogates."""
    return json.dumps({**GOOD, **fields}).encode()


def without(field: str) -> bytes:
    """A good body that lacks a field."""
    return json.dumps({key: value for key, value in GOOD.items() if key != field}).encode()


SPEECH: list[tuple[str, bytes, int, str, str | None]] = [
    ("empty text", changed(input=""), 400, "empty_text", "input"),
    ("blank text", changed(input=" \n\t\u3000"), 400, "empty_text", "input"),
    ("only emoji", changed(input="😀👍🏽🇨🇳"), 400, "nothing_to_speak", "input"),
    ("only punctuation", changed(input="!!!???……。"), 400, "nothing_to_speak", "input"),
    ("only direction marks", changed(input="\u200f\u202e\u2067"), 400, "nothing_to_speak", "input"),
    ("a megabyte of text", changed(input="word " * 200_000), 400, "text_too_long", "input"),
    ("4097 characters", changed(input="a" * 4097), 400, "text_too_long", "input"),
    ("a lone surrogate", changed(input="hello \ud800"), 400, "not_a_string", "input"),
    ("a NUL", changed(input="hel\0lo"), 400, "not_a_string", "input"),
    ("a surrogate in the voice", changed(voice="\udfff"), 400, "not_a_string", "voice"),
    ("text that is a number", changed(input=5), 400, "not_a_string", "input"),
    ("text that is null", changed(input=None), 400, "missing_value", "input"),
    ("no text", without("input"), 400, "missing_value", "input"),
    ("no model", without("model"), 400, "missing_value", "model"),
    ("no voice", without("voice"), 400, "missing_value", "voice"),
    ("an unknown voice", changed(voice="nobody"), 404, "voice_not_found", "voice"),
    ("a path as voice", changed(voice="../../etc/passwd"), 404, "voice_not_found", "voice"),
    ("a long voice", changed(voice="x" * 257), 400, "value_too_long", "voice"),
    ("a voice without id", changed(voice={"name": "alloy"}), 400, "not_a_string", "voice"),
    ("a blend of a stranger", changed(voice="tone-a+nobody"), 404, "voice_not_found", "voice"),
    ("an unknown model", changed(model="gpt-99"), 404, "model_not_found", "model"),
    ("speed 0", changed(speed=0), 400, "out_of_range", "speed"),
    ("speed 4.5", changed(speed=4.5), 400, "out_of_range", "speed"),
    ("speed NaN", changed(speed=float("nan")), 400, "not_a_number", "speed"),
    ("speed Infinity", changed(speed=float("inf")), 400, "not_a_number", "speed"),
    ("speed as a word", changed(speed="fast"), 400, "not_a_number", "speed"),
    ("speed as a digit string", changed(speed="1"), 400, "not_a_number", "speed"),
    ("speed true", changed(speed=True), 400, "not_a_number", "speed"),
    ("an unknown format", changed(response_format="ogg"), 400, "not_one_of", "response_format"),
    ("an unknown stream format", changed(stream_format="ws"), 400, "not_one_of", "stream_format"),
    ("long instructions", changed(instructions="x" * 4097), 400, "value_too_long", "instructions"),
    ("truncated JSON", changed()[:-9], 400, "bad_request", None),
    ("a list", b"[]", 400, "bad_request", None),
    ("a string", b'"hello"', 400, "bad_request", None),
    ("null", b"null", 400, "bad_request", None),
    ("nothing at all", b"", 400, "missing_value", "body"),
    ("deep nesting", b'{"input":' + b"[" * 200_000, 400, "bad_request", None),
    ("invalid UTF-8", b'{"model":"tone","input":"\xff\xfe"}', 400, "bad_request", None),
    ("a number of 5000 digits", b'{"speed":' + b"9" * 5000 + b"}", 400, "bad_request", None),
    ("a body over the limit", changed(nonsense="x" * 2_000_000), 413, "body_too_large", None),
]


def check_refusal(response: httpx.Response, status: int, code: str, param: str | None) -> None:
    """The status, and an envelope with all four keys."""
    assert response.status_code == status, response.text
    assert set(response.json()) == {"error"}
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["code"], error["param"]) == (code, param)
    assert len(error["message"]) > 10
    assert "\n" not in error["message"]
    assert response.headers["x-request-id"]
    assert response.headers["x-should-retry"] == "false"


def check_speaks(server: Server) -> None:
    """Nothing was harmed."""
    response = httpx.post(f"{server.url}/v1/audio/speech", json=GOOD, timeout=20)
    assert response.status_code == 200
    assert response.content[:4] == b"RIFF"


@pytest.mark.parametrize(
    ("body", "status", "code", "param"), [row[1:] for row in SPEECH], ids=[row[0] for row in SPEECH]
)
def test_bad_speech_requests_are_refused_clearly(
    tone: Server, body: bytes, status: int, code: str, param: str | None
) -> None:
    response = httpx.post(f"{tone.url}/v1/audio/speech", content=body, headers=JSON, timeout=20)
    check_refusal(response, status, code, param)


def test_after_all_of_them_the_server_still_speaks(tone: Server) -> None:
    check_speaks(tone)
    assert tone.is_idle()


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "multipart/form-data; boundary=x", ""]
)
def test_json_under_another_content_type_is_refused(tone: Server, content_type: str) -> None:
    headers = {"content-type": content_type} if content_type else {}
    response = httpx.post(f"{tone.url}/v1/audio/speech", content=changed(), headers=headers)
    check_refusal(response, 400, "wrong_content_type", None)


def test_direction_marks_within_words_are_no_mistake(tone: Server) -> None:
    response = httpx.post(
        f"{tone.url}/v1/audio/speech", content=changed(input="Hello\u200f there.\u202c"), headers=JSON
    )
    assert response.status_code == 200


@pytest.mark.parametrize("request_id", ["a b", "../x", "x" * 129, "名字"])
def test_a_request_id_that_is_none_is_refused(tone: Server, request_id: str) -> None:
    headers = {"X-Request-Id": request_id.encode()}
    response = httpx.post(f"{tone.url}/v1/audio/speech", content=changed(), headers={**headers, **JSON})  # type: ignore[arg-type]
    check_refusal(response, 400, "bad_value", "X-Request-Id")
    assert response.headers["x-request-id"].startswith("req-")


def test_a_good_request_id_comes_back(tone: Server) -> None:
    response = httpx.get(f"{tone.url}/healthz", headers={"X-Request-Id": "my.own-id_1"})
    assert response.headers["x-request-id"] == "my.own-id_1"


FORMS: list[tuple[str, str, bytes, str, str, str | None]] = [
    ("garbage", "multipart/form-data; boundary=x", b"\xff\xfe--x", "/tts", "bad_request", None),
    ("no boundary", "multipart/form-data", b"--x", "/tts/generate", "bad_request", None),
    ("JSON", "application/json", b'{"text":"x"}', "/tts/generate", "wrong_content_type", None),
    (
        "no text",
        "application/x-www-form-urlencoded",
        b"emotion=calm",
        "/tts/generate",
        "missing_value",
        "text",
    ),
    ("empty text", "application/x-www-form-urlencoded", b"text=+", "/tts/generate", "empty_text", "text"),
    ("NUL", "application/x-www-form-urlencoded", b"text=a%00b", "/tts", "not_a_string", "text"),
    ("long", "application/x-www-form-urlencoded", b"text=" + b"a" * 4097, "/tts", "text_too_long", "text"),
]


@pytest.mark.parametrize(
    ("content_type", "body", "path", "code", "param"),
    [row[1:] for row in FORMS],
    ids=[row[0] for row in FORMS],
)
def test_bad_forms_are_refused_clearly(
    tone: Server, content_type: str, body: bytes, path: str, code: str, param: str | None
) -> None:
    response = httpx.post(tone.url + path, content=body, headers={"content-type": content_type})
    check_refusal(response, 400, code, param)


def test_a_body_that_never_says_its_length_is_cut_at_the_limit(tone: Server) -> None:
    def endless() -> Any:
        for _ in range(40):
            yield b"x" * 100_000

    response = httpx.post(f"{tone.url}/v1/audio/speech", content=endless(), headers=JSON, timeout=20)
    check_refusal(response, 413, "body_too_large", None)


def test_a_body_too_large_is_refused_before_it_is_sent(tone: Server) -> None:
    """A client that announces a gigabyte hears 413 without having sent a byte of it."""
    with socket.create_connection(("127.0.0.1", tone.port), 20) as raw:
        raw.sendall(
            b"POST /v1/audio/speech HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 1000000000\r\n\r\n"
        )
        assert raw.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_unknown_routes_and_methods_speak_the_envelope(tone: Server) -> None:
    for path in ("/v1/nothing", "/v1/audio", "/v1/audio/outputs/..%2f..%2fetc"):
        check_refusal(httpx.get(tone.url + path), 404, "route_not_found", None)
    for method, path, allowed in (
        ("GET", "/v1/audio/speech", "POST"),
        ("PUT", "/synthesize", "GET, POST"),
        ("POST", "/healthz", "GET, HEAD"),
        ("OPTIONS", "/v1/audio/voices/import", "POST"),
        ("PUT", "/v1/audio/voices/import", "POST"),
    ):
        response = httpx.request(method, tone.url + path)
        check_refusal(response, 405, "method_not_allowed", None)
        assert response.headers["allow"] == allowed


def test_refusals_are_in_chinese_for_those_who_read_it(tone: Server) -> None:
    headers = {**JSON, "accept-language": "zh-CN,zh;q=0.9,en;q=0.8"}
    response = httpx.post(f"{tone.url}/v1/audio/speech", content=changed(speed=9), headers=headers)
    assert response.json()["error"]["message"] == "参数“speed”必须 ≤ 4。"
