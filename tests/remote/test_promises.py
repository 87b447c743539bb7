"""What docs/upstreams.md promises of one upstream: its own time, its share, its certificate, no proxy, no flood."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest

from index_tts_ui import tls
from index_tts_ui.config import Config
from index_tts_ui.errors import DeadlineExceeded
from index_tts_ui.remote import crew
from index_tts_ui.remote.answers import Busy, Failed, refusal
from index_tts_ui.remote.client import Client
from index_tts_ui.remote.meeting import meet

from .fake import Asked, Fake, Reply, ours, sound
from .place import asked, job, listen, placed, spoken_by, until
from .test_link import error_of, never

# ---- time and load


def test_the_time_of_an_upstream_goes_before_that_of_all(tmp_path: Path) -> None:
    async def go() -> None:
        async with placed(tmp_path, ours(Fake(never)), seconds=60, timeout=0.3) as (scheduler, pool):
            assert pool.info["patience"] < 0.01
            error = error_of(await spoken_by(scheduler, job("Only one.")))
            assert isinstance(error, DeadlineExceeded) and error.facts["seconds"] == 0.3

    asyncio.run(go())


@pytest.mark.parametrize(("said", "window"), [({"yours": 6}, 8), ({"yours": 2}, 4), ({}, 2)])
def test_what_it_has_of_ours_is_not_others(tmp_path: Path, said: dict[str, int], window: int) -> None:
    async def go() -> None:
        async with placed(tmp_path, ours(Fake(), running=4, waiting=2, **said), concurrency=8) as (_, pool):
            assert pool.workers()[0].stats["window"] == window and pool.workers()[0].stats["load"] == 6

    asyncio.run(go())


@pytest.mark.slow
def test_one_that_does_not_say_what_is_ours_is_believed_to_have_what_we_sent(tmp_path: Path) -> None:
    async def go() -> None:
        gate = asyncio.Event()

        async def waits(request: Asked) -> Reply:
            await gate.wait()
            return sound()

        fake = ours(Fake(waits))
        async with placed(tmp_path, fake, concurrency=4) as (scheduler, pool):
            requests = [job("Only one.") for _ in range(3)]
            for request in requests:
                scheduler.submit(request)
            await until(lambda: len(fake.spoken) == 3, 5, "not all were sent")
            ours(fake, running=5)
            link: Any = pool.hosts[0]._link
            link._watch.doubt.set()
            await until(lambda: pool.workers()[0].stats.get("load") == 5, 5, "it is not asked")
            assert pool.workers()[0].stats["window"] == 2
            gate.set()
            for request in requests:
                assert error_of(await listen(request)) is None

    asyncio.run(go())


def test_one_that_comes_back_to_room_is_given_more_at_once(tmp_path: Path) -> None:
    async def go() -> None:
        gate = asyncio.Event()

        async def waits(request: Asked) -> Reply:
            await gate.wait()
            return sound()

        fake = ours(Fake(waits), running=7)
        async with placed(tmp_path, fake, concurrency=8) as (scheduler, pool):
            requests = [job("Only one.") for _ in range(5)]
            for request in requests:
                scheduler.submit(request)
            await until(lambda: len(fake.spoken) == 1, 5, "nothing was sent")
            ours(fake)
            link: Any = pool.hosts[0]._link
            link._watch.doubt.set()
            await until(lambda: len(fake.spoken) == 5, 5, "its room is not used")
            gate.set()
            for request in requests:
                assert error_of(await listen(request)) is None

    asyncio.run(go())


def test_too_early_is_not_now() -> None:
    assert isinstance(refusal(425, {"retry-after": "3"}, b""), Busy)


# ---- the way to it


def test_no_proxy_of_the_environment_sees_what_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert asked(ours(Fake()), meet).pulse.ready


class Secure(Fake):
    """Over TLS, with a certificate of its own."""

    pair: tuple[str, str] = ("", "")

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    async def start(self) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*self.pair)
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]


def test_a_certificate_is_believed_where_the_file_names_it_and_nowhere_else(tmp_path: Path) -> None:
    pair = tls.files("auto", tmp_path / "tls")
    assert pair is not None
    fake = ours(Secure())
    fake.pair = pair  # type: ignore[attr-defined]
    assert asked(fake, meet, ca=pair[0]).pulse.ready
    fake.port = 0
    with pytest.raises(Failed, match="it cannot be reached"):
        asked(fake, meet)


def test_bare_pcm_has_the_rate_that_the_file_says() -> None:
    async def quiet(request: Asked) -> Reply:
        return 200, {"content-type": "audio/pcm"}, bytes(12_000)  # half a second at 12 kHz

    async def work(client: Client, given: Any) -> float:
        return float((await client.speak({"input": "x"})).seconds)

    assert asked(Fake(quiet), work, format="pcm", pcm_rate=12_000) == pytest.approx(0.5, abs=0.001)


def test_an_answer_without_end_is_given_up() -> None:
    fake = Fake()
    fake.routes["/v1/models"] = (200, {}, b" " * (5 << 20))
    with pytest.raises(Failed, match="larger than 4 MB"):
        asked(fake, meet)


def test_its_own_words_are_told_short_in_one_line_and_never_beside_a_key() -> None:
    said = str(refusal(500, {}, b'{"detail": "\\u001b[31mout of\\n memory. ' + b"x" * 500 + b'"}'))
    assert (
        said.startswith("it answered 500 ([31mout of memory. xx") and len(said) < 250 and said.isprintable()
    )
    assert str(refusal(401, {}, b'{"error": "bad key sk-1"}')) == "it answered 401: check its key"


def test_a_key_over_open_http_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "up.key").write_text("k1")
    table = '[[upstream]]\nname = "{}"\nurl = "{}"\nkey_file = "up.key"\n'
    text = table.format("far", "http://192.0.2.1:80") + table.format("near", "http://127.0.0.1:1")
    text += table.format("safe", "https://192.0.2.1")
    (tmp_path / "up.toml").write_text(text)
    crew.gather(Config(home=str(tmp_path), upstreams="up.toml"), "tone")
    warned = [record.getMessage() for record in caplog.records if "others on the way" in record.getMessage()]
    assert len(warned) == 1 and "far" in warned[0] and "k1" not in warned[0]
