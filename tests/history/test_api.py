"""The history over HTTP: two owners with keys, a restart in between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from index_tts_ui.auth.keys import KeyStore

from ..access.conftest import upload
from ..api.server import Server, serving, until

HISTORY, PRESETS, SPEECH = "/v1/audio/history", "/v1/audio/presets", "/v1/audio/speech"
FLAGS = ("--no-page", "--rate", "off")


class Person(httpx.Client):
    """Somebody with a key."""

    def speak(self, text: str, **fields: Any) -> httpx.Response:
        """Have something spoken."""
        body = {"model": "tts-1", "voice": "alloy", "input": text, "response_format": "pcm", **fields}
        return self.post(SPEECH, json=body)

    def listed(self, **query: Any) -> list[dict[str, Any]]:
        """Their history."""
        answer = self.get(HISTORY, params=query)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["data"]
        return found

    def kept(self, text: str, **fields: Any) -> dict[str, Any]:
        """Have something spoken and kept: its entry."""
        spoken = self.speak(text, keep=True, **fields)
        assert spoken.status_code == 200, spoken.text
        output = spoken.headers["x-tts-output"]
        until(lambda: any(entry["output"] == output for entry in self.listed()), "it is written down")
        return next(entry for entry in self.listed() if entry["output"] == output)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With keys for two."""
    return tmp_path_factory.mktemp("history")


@pytest.fixture(scope="module")
def keys(home: Path) -> dict[str, str]:
    """Of Ann and Ben."""
    store = KeyStore(home / "keys.json")
    return {name: store.add(name, roles=("speak", "voices"))[1] for name in ("ann", "ben")}


@pytest.fixture(scope="module")
def server(home: Path, keys: dict[str, str]) -> Iterator[Server]:
    """The test engine that clones."""
    with serving(home, *FLAGS, "--engine", "tone-clone") as started:
        upload(started, "alloy", {"Authorization": f"Bearer {keys['ann']}"}, shared="true")
        yield started


def person(server: Server, key: str) -> Person:
    """A client."""
    return Person(base_url=server.url, headers={"Authorization": f"Bearer {key}"}, timeout=30)


@pytest.fixture
def ann(server: Server, keys: dict[str, str]) -> Iterator[Person]:
    with person(server, keys["ann"]) as client:
        yield client


@pytest.fixture
def ben(server: Server, keys: dict[str, str]) -> Iterator[Person]:
    with person(server, keys["ben"]) as client:
        yield client


def code(answer: httpx.Response) -> tuple[int, str]:
    """Status and the error's code."""
    return answer.status_code, answer.json()["error"]["code"]


def test_only_what_asks_to_be_kept_is_written_down_and_its_settings_speak_it_again(ann: Person) -> None:
    assert ann.speak("Nobody writes this down.").status_code == 200
    felt = {"emotion": {"vector": [0.4, 0, 0, 0, 0, 0, 0, 0], "weight": 0.5}}
    entry = ann.kept("Write this down.", seed=7, speed=1.5, temperature=1.1, **felt)
    assert [found["text"] for found in ann.listed()] == ["Write this down."]
    assert entry["voice_name"] == "alloy"  # also once that voice is gone
    settings = entry["settings"]
    assert (settings["seed"], settings["speed"], settings["temperature"]) == (7, 1.5, 1.1)
    assert entry["characters"] == 16 and entry["audio_seconds"] > 0.3 and entry["total_seconds"] > 0
    first = ann.get(entry["audio"], params={"format": "pcm"}).content
    again = ann.speak(entry["text"], **{**settings, "voice": settings["voice"]}).content
    assert first == again


def test_one_owner_neither_sees_nor_touches_what_is_anothers(ann: Person, ben: Person) -> None:
    entry = ann.kept("Private words.")
    assert ben.listed(q="Private") == []
    url = f"{HISTORY}/{entry['id']}"
    for answer in (ben.get(url), ben.patch(url, json={"favourite": True}), ben.delete(url)):
        assert code(answer) == (404, "entry_not_found")
    assert ben.delete(HISTORY).json() == {"deleted": 0}
    assert ann.get(url).status_code == 200


def test_an_entry_is_starred_named_deleted_and_taken_back(ann: Person) -> None:
    url = f"{HISTORY}/{ann.kept('Star me.')['id']}"
    changed = ann.patch(url, json={"favourite": True, "title": " My  star ", "note": "For the film."}).json()
    assert (changed["favourite"], changed["title"], changed["note"]) == (True, "My star", "For the film.")
    assert [found["title"] for found in ann.listed(favourite=True)] == ["My star"]
    assert [found["title"] for found in ann.listed(q="film star")] == ["My star"]
    assert ann.patch(url, json={"deleted": True}).json()["deleted"] is True
    assert ann.listed(q="film") == []
    assert ann.patch(url, json={"deleted": False}).json()["favourite"] is True
    sound = ann.get(url).json()["audio"]
    assert ann.delete(url).json()["deleted"] is True
    assert code(ann.get(url)) == (404, "entry_not_found")
    assert code(ann.get(sound)) == (404, "output_not_found")


def test_all_but_favourites_are_deleted_at_once(ann: Person) -> None:
    star = ann.kept("I stay.")
    ann.patch(f"{HISTORY}/{star['id']}", json={"favourite": True})
    ann.kept("I go.")
    assert ann.delete(HISTORY).json()["deleted"] >= 1
    assert [found["id"] for found in ann.listed()] == [star["id"]]


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"name": " ", "settings": {}}, "missing_value"),
        ({"name": "x"}, "missing_value"),
        ({"name": "x", "settings": {"temperature": 99}}, "bad_value"),
        ({"name": "x", "settings": {"speed": 9}}, "out_of_range"),
        ({"name": "x", "settings": {"voice": "nobody"}}, "voice_not_found"),
        ({"name": "x", "settings": {"emotion": {"sliders": [2] * 8}}}, "out_of_range"),
        ({"name": "x", "settings": {"emotion": {"sliders": [0.1] * 8, "vector": [0.1] * 8}}}, "bad_value"),
        ({"name": "x" * 65, "settings": {}}, "value_too_long"),
    ],
)
def test_a_preset_that_could_not_speak_is_refused(ann: Person, body: dict[str, Any], error: str) -> None:
    assert ann.post(PRESETS, json=body).json()["error"]["code"] == error
    assert all(preset["name"] != "x" for preset in ann.get(PRESETS).json()["data"])


def test_a_preset_speaks_as_its_settings_do(ann: Person, ben: Person) -> None:
    settings = {"speed": 1.25, "seed": 9, "emotion": {"sliders": [0.6, 0, 0, 0, 0, 0, 0, 0.5], "weight": 0.7}}
    made = ann.post(PRESETS, json={"name": "Glad", "settings": settings}).json()
    assert made["own"] is True and made["settings"]["emotion"]["sliders"][7] == 0.5
    assert ann.speak("Hello.", **made["settings"]).status_code == 200
    assert code(ann.post(PRESETS, json={"name": "Glad", "settings": {}})) == (409, "preset_name_in_use")
    url = f"{PRESETS}/{made['id']}"
    assert ben.get(PRESETS).json()["data"] == []
    assert ann.patch(url, json={"shared": True, "name": "Gladder"}).json()["name"] == "Gladder"
    (seen,) = ben.get(PRESETS).json()["data"]
    assert (seen["name"], seen["own"]) == ("Gladder", False)
    assert code(ben.delete(url)) == (404, "preset_not_found")
    assert ann.delete(url).status_code == 200
    assert ann.get(PRESETS).json()["data"] == []


def test_all_of_it_outlives_a_restart(tmp_path: Path) -> None:
    flags = (*FLAGS, "--engine", "tone")
    with serving(tmp_path, *flags) as server, Person(base_url=server.url, timeout=30) as client:
        star, plain = client.kept("First."), client.kept("Second.")
        client.patch(f"{HISTORY}/{star['id']}", json={"favourite": True})
        client.post(PRESETS, json={"name": "Fast", "settings": {"speed": 2.0}})
    with serving(tmp_path, *flags, "--history-days", "0") as server, Person(base_url=server.url) as client:
        until(lambda: len(client.listed()) == 1, "what is no favourite is gone: nothing is to be kept")
        (entry,) = client.listed()
        assert (entry["id"], entry["favourite"]) == (star["id"], True)
        assert client.get(entry["audio"]).status_code == 200
        assert client.get(f"{HISTORY}/{plain['id']}").status_code == 404
        assert [preset["name"] for preset in client.get(PRESETS).json()["data"]] == ["Fast"]
        client.speak("Not any more.", keep=True)
        assert [found["id"] for found in client.listed()] == [star["id"]]
