"""The real ``wyoming`` client against the real server."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info, TtsProgram
from wyoming.ping import Ping, Pong
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
    SynthesizeVoice,
)

from index_tts_ui import __version__
from index_tts_ui.auth.keys import KeyStore

from ..access.conftest import upload
from ..api.server import Server, free_port, serving, until
from ..launcher.conftest import QUICK, Launch, finish

pytestmark = pytest.mark.slow
SECONDS = 30.0
T = TypeVar("T")
TEXT = "The quick brown fox. It jumps over the lazy dog."


class Place:
    """A server and its Wyoming port."""

    def __init__(self, server: Server, port: int) -> None:
        self.server = server
        self.port = port

    def ask(self, talk: Callable[[AsyncTcpClient], Awaitable[T]]) -> T:
        """One connection."""

        async def run() -> T:
            async with asyncio.timeout(SECONDS), AsyncTcpClient("127.0.0.1", self.port) as client:
                return await talk(client)

        return asyncio.run(run())

    def says(self, *events: Event) -> list[Event]:
        """What answers these events, up to the end of the sound, an error, or one answer of another kind."""

        async def talk(client: AsyncTcpClient) -> list[Event]:
            for event in events:
                await client.write_event(event)
            streamed = any(event.type == "synthesize-stop" for event in events)
            return await heard(client, streamed)

        return self.ask(talk)

    def refused(self, *events: Event) -> str:
        """The code of the error, after which the connection is closed."""

        async def talk(client: AsyncTcpClient) -> str:
            for event in events:
                await client.write_event(event)
            error = (await heard(client))[-1]
            assert Error.is_type(error.type), error
            assert await client.read_event() is None
            return str(Error.from_event(error).code)

        return self.ask(talk)


async def heard(client: AsyncTcpClient, streamed: bool = False) -> list[Event]:
    found: list[Event] = []
    while (event := await client.read_event()) is not None:
        found.append(event)
        going_on = AudioStart.is_type(event.type) or AudioChunk.is_type(event.type)
        if not going_on and not (streamed and AudioStop.is_type(event.type)):
            break
    return found


def sound(events: list[Event]) -> tuple[bytes, int]:
    """The PCM and rate of one whole answer."""
    kinds = [event.type for event in events]
    if kinds[-1] == "synthesize-stopped":
        assert SynthesizeStopped.is_type(kinds.pop())
    assert kinds[0] == "audio-start" and kinds[-1] == "audio-stop", kinds
    assert set(kinds[1:-1]) == {"audio-chunk"}
    start = AudioStart.from_event(events[0])
    assert (start.width, start.channels) == (2, 1)
    chunks = [AudioChunk.from_event(event) for event in events if AudioChunk.is_type(event.type)]
    times = [chunk.timestamp for chunk in chunks]
    assert times == sorted(times) and times[0] == 0
    return b"".join(chunk.audio for chunk in chunks), start.rate


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The test engine at no cost."""
    port = free_port()
    flags = ("--engine", "tone", "--no-page", "--wyoming", str(port))
    with serving(tmp_path_factory.mktemp("wyoming"), *flags) as server:
        yield Place(server, port)


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """20 ms of work a character, one row."""
    port = free_port()
    flags = ("--engine", "tone", "--no-page", "--wyoming", f"127.0.0.1:{port}")
    options = "rows=1,step_ms=20,char_ms=20"
    with serving(tmp_path_factory.mktemp("slow"), *flags, "--engine-options", options) as server:
        yield Place(server, port)


def program(place: Place) -> TtsProgram:
    (found,) = Info.from_event(place.says(Describe().event())[0]).tts
    return found


def test_it_describes_itself(place: Place) -> None:
    found = program(place)
    assert found.supports_synthesize_streaming and found.installed
    assert found.version == __version__ and found.attribution.name
    voices = httpx.get(f"{place.server.url}/v1/audio/voices", timeout=30).json()
    names = [voice["id"] for voice in voices["voices"]]
    assert [voice.name for voice in found.voices] == names and names
    assert all(voice.languages and voice.description for voice in found.voices)


def test_a_ping_is_answered_also_while_it_speaks(slow: Place) -> None:
    async def talk(client: AsyncTcpClient) -> list[str]:
        await client.write_event(Synthesize("A sentence that takes a while to speak.").event())
        await client.write_event(Ping("here?").event())
        first = await client.read_event()
        assert first is not None and Pong.from_event(first).text == "here?"
        return [event.type for event in await heard(client)]

    assert slow.ask(talk)[-1] == "audio-stop"


def test_what_is_spoken_is_what_http_speaks(place: Place) -> None:
    voice = program(place).voices[1].name
    body = {"model": "tts-1", "voice": voice, "input": TEXT, "response_format": "pcm"}
    http = httpx.post(f"{place.server.url}/v1/audio/speech", json=body, timeout=30).content
    pcm, rate = sound(place.says(Synthesize(TEXT, SynthesizeVoice(name=voice)).event()))
    assert (pcm, rate) == (http, 24_000)


def test_without_a_voice_the_default_or_one_of_the_language_speaks(place: Place) -> None:
    plain = sound(place.says(Synthesize("你好。").event()))
    first = program(place).voices[0]
    assert plain == sound(place.says(Synthesize("你好。", SynthesizeVoice(name=first.name)).event()))
    for voice in program(place).voices:
        tongue = voice.languages[0].partition("-")[0]
        said = sound(place.says(Synthesize("你好。", SynthesizeVoice(language=tongue)).event()))
        best = next(item for item in program(place).voices if item.languages[0].startswith(tongue))
        assert said == sound(place.says(Synthesize("你好。", SynthesizeVoice(name=best.name)).event()))


def test_several_requests_on_one_connection_are_spoken_in_order(place: Place) -> None:
    async def talk(client: AsyncTcpClient) -> list[int]:
        for text in ("One.", "And a longer one, which is the second."):
            await client.write_event(Synthesize(text).event())
        return [len(sound(await heard(client))[0]) for _ in range(2)]

    short, long = place.ask(talk)
    assert short < long


def test_a_stream_of_text_sounds_before_it_has_ended(place: Place) -> None:
    async def talk(client: AsyncTcpClient) -> list[Event]:
        await client.write_event(SynthesizeStart().event())
        for piece in ("The quick ", "brown fox. It", " jumps"):
            await client.write_event(SynthesizeChunk(piece).event())
        first = await client.read_event()
        assert first is not None and AudioStart.is_type(first.type)
        await client.write_event(SynthesizeChunk(" over the lazy dog.").event())
        await client.write_event(Synthesize(TEXT).event())  # as clients do for servers that know no streams
        await client.write_event(SynthesizeStop().event())
        return [first, *await heard(client, streamed=True)]

    events = place.ask(talk)
    assert events[-1].type == "synthesize-stopped"
    streamed, whole = sound(events)[0], sound(place.says(Synthesize(TEXT).event()))[0]
    assert len(whole) * 0.8 < len(streamed) < len(whole) * 1.5


def test_a_refusal_is_an_error_with_its_code_and_costs_only_its_connection(place: Place) -> None:
    assert place.refused(Synthesize("Hello.", SynthesizeVoice(name="nobody")).event()) == "voice_not_found"
    assert place.refused(Synthesize("  ").event()) == "empty_text"
    assert place.refused(Synthesize("x" * 5000).event()) == "text_too_long"
    assert place.refused(Synthesize("<speak/>", text_format="ssml").event()) == "unsupported"
    assert place.refused(SynthesizeStart().event(), SynthesizeStop().event()) == "empty_text"
    assert sound(place.says(Synthesize("Hello.").event()))[0]


def test_unknown_events_are_passed_over(place: Place) -> None:
    events = [Event("select-program", {"name": "x"}), Event("transcribe"), Event("audio-chunk", {}, b"12345")]
    assert sound(place.says(*events, SynthesizeChunk("no stream").event(), Synthesize("Hello.").event()))[0]


@pytest.mark.parametrize(
    "wire", [b"x" * 200_000, b"GET / HTTP/1.1\r\n\r\n", b'{"type":"a","data_length":9999999}\n']
)
def test_garbage_is_answered_and_cut_off(place: Place, wire: bytes) -> None:
    with socket.create_connection(("127.0.0.1", place.port), SECONDS) as sock:
        sock.sendall(wire)
        sock.shutdown(socket.SHUT_WR)
        with sock.makefile("rb") as file:
            line = file.readline()
            assert not line or json.loads(line)["type"] == "error"
    assert program(place)


def test_who_hangs_up_costs_no_more(slow: Place) -> None:
    async def talk(client: AsyncTcpClient) -> None:
        await client.write_event(Synthesize("This is a rather long text. " * 60).event())
        assert await client.read_event() is not None

    slow.ask(talk)
    until(slow.server.is_idle, "what nobody hears is not spoken", 5)


def test_who_hangs_up_before_the_first_sound_is_noticed_too(tmp_path: Path) -> None:
    """Nothing is written to them, so that only reading tells."""
    port, options = free_port(), "rows=1,step_ms=250"
    flags = ("--engine", "tone", "--no-page", "--wyoming", str(port), "--engine-options", options)
    with serving(tmp_path, *flags) as server:

        async def talk(client: AsyncTcpClient) -> None:
            await client.write_event(
                Synthesize("One sentence that takes ten seconds and more to speak").event()
            )
            while server.status()["running"] == 0:
                await asyncio.sleep(0.05)

        Place(server, port).ask(talk)
        until(server.is_idle, "it was given up", 6)


def test_where_a_key_is_needed_only_named_networks_are_served(tmp_path: Path) -> None:
    port = free_port()
    key = KeyStore(tmp_path / "keys.json").add("anna", roles=("speak", "voices"))[1]
    flags = ("--engine", "tone-clone", "--no-page", "--wyoming", str(port))
    with serving(tmp_path, *flags) as server:
        headers = {"Authorization": f"Bearer {key}"}
        upload(server, "Hers", headers)
        upload(server, "Shared", headers, shared="true")
        assert Place(server, port).refused(Describe().event()) == "wyoming_no_key"
    with serving(tmp_path, *flags, "--wyoming-nets", "127.0.0.0/8") as server:
        place = Place(server, port)
        assert [voice.description for voice in program(place).voices] == ["Shared"]
        assert sound(place.says(Synthesize("Hello.", SynthesizeVoice(name="Shared")).event()))[0]
        assert place.refused(Synthesize("Hello.", SynthesizeVoice(name="Hers")).event()) == "voice_not_found"


def test_the_rate_of_http_counts_here_too(tmp_path: Path) -> None:
    port = free_port()
    with serving(
        tmp_path, "--engine", "tone", "--no-page", "--wyoming", str(port), "--rate", "0.01:2"
    ) as server:
        place = Place(server, port)
        for _ in range(2):
            assert sound(place.says(Synthesize("Hello.").event()))[0]
        assert place.refused(Synthesize("Hello.").event()) == "rate_limited"


@pytest.fixture
def real(launch: Launch) -> tuple[Launch, int]:
    """The real server under the real supervisor, 10 ms of work and of sound a character."""
    port = free_port()
    launch.environ = {"TTS_SERVER_COMMAND": "", "TTS_ENGINE_OPTIONS": "rows=1,char_ms=20,step_ms=10"}
    launch.environ |= {"TTS_NO_PAGE": "on", "TTS_WYOMING": str(port)}
    launch.policy = {**QUICK, "silence": 30, "term": 5}
    return launch, port


@pytest.mark.parametrize("command", [("stop",), ("restart", "--graceful")])
def test_what_is_under_way_is_said_to_its_end(real: tuple[Launch, int], command: tuple[str, ...]) -> None:
    launch, port = real
    launch.start()
    place = Place(None, port)  # type: ignore[arg-type]
    text = "This will take about one second to speak. " * 3
    children: list[Any] = []

    async def talk(client: AsyncTcpClient) -> list[Event]:
        await client.write_event(Synthesize(text).event())
        first = await client.read_event()
        assert first is not None
        children.append(launch.spawn(*command))
        return [first, *await heard(client)]

    pcm, rate = sound(place.ask(talk))
    assert len(pcm) / 2 / rate > 0.02 * len(text.replace(" ", "")) * 0.9
    finish(children[0], 0, 60)
    if command[0] == "restart":
        assert sound(place.says(Synthesize("It goes on.").event()))[0]


def test_a_stop_waits_until_the_client_has_all_of_the_sound(real: tuple[Launch, int]) -> None:
    """150 s of it: all is spoken, and much more than the sockets hold is not yet sent."""
    launch, port = real
    launch.environ["TTS_ENGINE_OPTIONS"] = "char_ms=500,step_ms=1"
    launch.start()
    status = f"http://127.0.0.1:{launch.port}/v1/status"
    children: list[Any] = []

    def stop() -> None:
        until(lambda: is_idle(status), "all is spoken")
        children.append(launch.spawn("stop"))
        until(lambda: not answers(status), "it has begun to stop", 10)
        for _ in range(30):  # a server that waits for nobody is gone by then
            assert httpx.get(status, timeout=20).json()["state"] == "draining"
            time.sleep(0.1)

    async def talk(client: AsyncTcpClient) -> list[Event]:
        await client.write_event(Synthesize("word " * 60).event())
        first = await client.read_event()
        assert first is not None
        await asyncio.to_thread(stop)
        return [first, *await heard(client)]

    pcm, rate = sound(Place(None, port).ask(talk))  # type: ignore[arg-type]
    assert len(pcm) / 2 / rate > 0.5 * 60 * len("word")
    finish(children[0], 0, 60)


def is_idle(status: str) -> bool:
    """Whether no request waits or runs."""
    found = httpx.get(status, timeout=20).json()
    return bool(found["waiting"] == found["running"] == 0)


def answers(status: str) -> bool:
    """Whether the server takes requests."""
    try:
        return bool(httpx.get(status, timeout=20).json()["state"] != "draining")
    except httpx.TransportError:
        return False


def test_a_port_that_is_taken_is_said_at_the_start(real: tuple[Launch, int]) -> None:
    launch, port = real
    with socket.create_server(("127.0.0.1", port)):
        said = launch("start", code=None)
    assert f"wyoming: 127.0.0.1:{port}" in said and "choose another port" in said
