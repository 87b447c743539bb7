"""Readings through the API: for one request, and from the dictionary, in speech, preview and jobs alike."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from ..hearing import decode_any
from .server import Server, until

PATH = "/v1/audio/dictionary"
SECONDS = 0.06  # of sound a character


@pytest.fixture
def client(tone: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=tone.url, timeout=30) as asking:
        yield asking
        for entry in asking.get(PATH).json()["data"]:
            asking.delete(f"{PATH}/{entry['id']}")


def tokens(client: httpx.Client, **body: Any) -> int:
    answer = client.post("/v1/audio/preview", json={"text": "NVMe.", **body})
    assert answer.status_code == 200, answer.text
    [segment] = answer.json()["segments"]
    assert segment["text"] == "NVMe."
    count: int = segment["tokens"]
    return count


def characters(client: httpx.Client, headers: dict[str, str] | None = None, **body: Any) -> tuple[int, str]:
    """How long the sound is, in the engine's characters; and where it came from."""
    asked = {"model": "tone", "voice": "tone-a", "input": "NVMe", "response_format": "wav", **body}
    answer = client.post("/v1/audio/speech", json=asked, headers=headers or {})
    assert answer.status_code == 200, answer.text
    samples, rate = decode_any(answer.content)
    return round(len(samples) / rate / SECONDS), answer.headers.get("x-tts-source", "")


def refusal(answer: httpx.Response, status: int = 400) -> tuple[str, str]:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    return error["code"], error["param"]


def test_a_requests_readings_count_for_it_alone(client: httpx.Client) -> None:
    plain = tokens(client)
    assert tokens(client, glossary={"nvme": "N V M E"}) == plain + 3
    assert tokens(client, glossary=[{"word": "NVMe", "said": "N V M E", "language": "en"}]) == plain + 3
    assert tokens(client, glossary=[{"word": "NVMe", "said": "N V M E", "language": "zh"}]) == plain
    assert tokens(client) == tokens(client, glossary=None) == plain
    short, long = characters(client)[0], characters(client, glossary={"NVMe": "N V M E"})[0]
    assert long >= short + 3


@pytest.mark.parametrize(
    ("glossary", "code", "param"),
    [
        ([{"word": "a", "said": "b", "kind": "pinyin"}], "reading_kind", "glossary.0.kind"),
        ([{"word": "a", "said": "b"}, {"word": " ", "said": "b"}], "missing_value", "glossary.1.word"),
        ([{"word": "a", "said": "!"}], "reading_wordless", "glossary.0.said"),
        ([{"word": "a"}], "missing_value", "glossary.0.said"),
        ([{"word": "a", "said": "b", "kin": "pinyin"}], "bad_value", "glossary.0.kin"),
        ([{"word": "a", "said": "b", "kind": "song"}], "not_one_of", "glossary.0.kind"),
        ([{"word": "a", "said": "b", "language": "fr"}], "not_one_of", "glossary.0.language"),
        ([{"word": "a" * 65, "said": "b"}], "value_too_long", "glossary.0.word"),
        ({"a": 5}, "not_a_string", "glossary.0.said"),
        ([{"word": "a", "said": "b"}] * 201, "value_too_long", "glossary"),
        ("a: b", "bad_value", "glossary"),
    ],
)
def test_a_wrong_reading_is_refused_by_name_wherever_it_is_sent(
    client: httpx.Client, glossary: Any, code: str, param: str
) -> None:
    speech = {"model": "tone", "voice": "tone-a", "input": "NVMe"}
    for path, body in (("speech", speech), ("preview", {"text": "NVMe"}), ("jobs", {"input": "NVMe"})):
        answer = client.post(f"/v1/audio/{path}", json={**body, "glossary": glossary})
        assert refusal(answer) == (code, param), path


def test_an_entry_counts_from_the_next_request_until_it_is_gone(client: httpx.Client) -> None:
    plain = tokens(client)
    made = client.post(PATH, json={"word": "nvme", "said": "N V M E", "note": "storage"})
    assert made.status_code == 201
    entry = made.json()
    assert (entry["shared"], entry["mine"], entry["usable"], entry["kind"]) == (
        True,
        True,
        True,
        "respelling",
    )
    assert tokens(client) == plain + 3
    assert tokens(client, dictionary=False) == plain
    assert tokens(client, glossary={"NVMe": "x"}) == plain - 3
    assert characters(client)[0] >= characters(client, dictionary=False)[0] + 3
    url = f"{PATH}/{entry['id']}"
    assert client.patch(url, json={"enabled": False}).json()["enabled"] is False
    assert tokens(client) == plain
    client.patch(url, json={"enabled": True, "language": "zh"})
    assert tokens(client) == plain and tokens(client, language="zh") == plain + 3
    assert client.get(url).json()["language"] == "zh"
    assert refusal(client.patch(url, json={"said": ""})) == ("missing_value", "said")
    assert (
        refusal(client.post(PATH, json={"word": "NVME", "said": "x", "language": "zh"}), 409)[0]
        == "word_in_dictionary"
    )
    assert client.delete(url).json() == {"id": entry["id"], "deleted": True}
    assert refusal(client.delete(url), 404)[0] == refusal(client.get(url), 404)[0] == "word_not_found"
    assert tokens(client, language="zh") == plain


def spoken_by_a_job(client: httpx.Client, **more: Any) -> float:
    """Seconds of its sound."""
    url = f"/v1/audio/jobs/{client.post('/v1/audio/jobs', json={'input': 'NVMe.', **more}).json()['id']}"
    until(lambda: client.get(url).json()["state"] == "done", "the job is done")
    seconds: float = client.get(url).json()["audio_seconds"]
    return seconds


def test_a_job_follows_both(client: httpx.Client) -> None:
    client.post(PATH, json={"word": "NVMe", "said": "N V M E and more"})
    plain = spoken_by_a_job(client, dictionary=False)
    assert spoken_by_a_job(client) > plain > spoken_by_a_job(client, glossary={"NVMe": "x"})


def test_what_is_kept_is_another_sound_after_a_reading_changed(client: httpx.Client) -> None:
    text = f"NVMe {time.time()}"
    first, _ = characters(client, input=text, cache=True)
    assert characters(client, input=text, cache=True) == (first, "cached")
    client.post(PATH, json={"word": "NVMe", "said": "N V M E"})
    changed, source = characters(client, input=text, cache=True)
    assert changed > first and source != "cached"
    assert characters(client, input=text, cache=True, dictionary=False) == (first, "cached")


def test_a_repeated_request_is_the_same_whatever_the_dictionary_says_by_then(client: httpx.Client) -> None:
    key = {"Idempotency-Key": f"words-{time.time()}"}
    first, _ = characters(client, key)
    client.post(PATH, json={"word": "NVMe", "said": "N V M E"})
    assert characters(client, key)[0] == first
    asked = {"model": "tone", "voice": "tone-a", "input": "NVMe", "response_format": "wav"}
    other = client.post("/v1/audio/speech", json={**asked, "glossary": {"NVMe": "x"}}, headers=key)
    assert refusal(other, 409)[0] == "idempotency_mismatch"


def test_it_is_searched_page_by_page(client: httpx.Client) -> None:
    for number in range(5):
        client.post(PATH, json={"word": f"word{number}", "said": "GPU" if number == 3 else "x"})
    page = client.get(PATH, params={"limit": 2, "offset": 2}).json()
    assert ([one["word"] for one in page["data"]], page["total"], page["has_more"]) == (
        ["word2", "word3"],
        5,
        True,
    )
    assert [one["word"] for one in client.get(PATH, params={"q": "gpu"}).json()["data"]] == ["word3"]
    assert page["kinds"] == ["respelling"] and page["languages"] == ["zh", "en"] and page["private"] is False
    assert client.get(PATH, params={"limit": 1001}).status_code == 400


def test_files_go_in_and_out(client: httpx.Client) -> None:
    def bring_in(name: str, data: str, **form: str) -> httpx.Response:
        return client.post(f"{PATH}/import", files={"file": (name, data.encode())}, data=form)

    client.post(PATH, json={"word": "GPU", "said": "before"})
    done = bring_in("mine.csv", "word,said\nGPU,G P U\nNVMe,N V M E\n,nothing\n").json()
    assert (done["added"], done["changed"], done["left_out"]) == (1, 1, 1)
    assert (done["problems"][0]["entry"], done["problems"][0]["code"]) == (3, "missing_value")
    done = bring_in("glossary", "GPU: G P U\nM.2: {en: M dot two, zh: M 二}", kind="yaml").json()
    assert (done["added"], done["unchanged"], done["left_out"]) == (2, 1, 0)
    for kind, media in (("json", "application/json"), ("csv", "text/csv")):
        file = client.get(f"{PATH}/export", params={"format": kind})
        assert file.headers["content-type"].startswith(media)
        assert f'filename="dictionary.{kind}"' in file.headers["content-disposition"]
        assert bring_in(f"x.{kind}", file.text).json()["unchanged"] == 4
    assert refusal(bring_in("x.txt", "a")) == ("not_one_of", "kind")
    assert refusal(bring_in("x.json", "{"))[0] == "bad_file"
    assert refusal(client.post(f"{PATH}/import", data={"kind": "csv"}))[0] == "missing_value"
    done = client.post(
        f"{PATH}/import", files={"file": ("a.csv", b"word,said\n!,x\n")}, headers={"Accept-Language": "zh-CN"}
    )
    assert "至少要有一个文字" in done.json()["problems"][0]["message"]
