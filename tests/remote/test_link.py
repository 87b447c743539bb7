"""Remote workers over real sockets: what each answer of an upstream does to a segment, and what is left behind."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from index_tts_ui.errors import DeadlineExceeded, EngineFailed, Invalid, Overloaded
from index_tts_ui.speech import SegmentReady
from tests.scheduler.bench import ended, indices

from .fake import Asked, Fake, Reply, omni, ours, sound, speaks, told, wav
from .place import job, listen, placed, spoken_by, until

TEXT = "One sentence. Another one. A third."


def replying(*replies: Reply | None) -> Any:
    """Answers in turn; the last one from then on."""
    left = list(replies)

    async def speak(asked: Asked) -> Reply | None:
        return left.pop(0) if len(left) > 1 else left[0]

    return speak


def error_of(events: list[Any]) -> Any:
    """How a request ended."""
    return ended(events).error


async def never(asked: Asked) -> Reply:
    """It takes all the time there is."""
    await asyncio.sleep(3600)
    return sound()


def test_a_segment_is_spoken_by_an_upstream(tmp_path: Path) -> None:
    async def go() -> None:
        fake = ours(Fake())
        async with placed(tmp_path, fake, key="secret-1", model="tone") as (scheduler, pool):
            events = await spoken_by(scheduler, job(TEXT))
            assert indices(events) == [0, 1, 2] and error_of(events) is None
            heard = next(event for event in events if isinstance(event, SegmentReady))
            assert heard.audio.rate == 24_000 and heard.audio.seconds == pytest.approx(0.2, abs=0.001)
            assert {body["input"] for body in fake.spoken} == set(TEXT.replace(". ", ".|").split("|"))
            first = fake.spoken[0]
            assert first["model"] == "tone" and first["voice"] == "tone-a" and first["raw"] is True
            assert fake.asked[-1].headers["authorization"] == "Bearer secret-1"
            assert fake.asked[-1].headers["accept-encoding"] == "identity", "nothing here unpacks it"
            told_of = repr(pool.workers()) + repr(pool.info)
            assert "secret-1" not in told_of and pool.workers()[0].device == "a"

    asyncio.run(go())


FAULTS: dict[str, Reply | None] = {
    "500": told(500, "cuda error"),
    "garbage": (200, {"content-type": "audio/wav"}, b"\x00garbage" * 40),
    "html": (200, {"content-type": "text/html"}, wav()),
    "cut off": (200, {"content-type": "audio/wav", "content-length": "20000", "connection": "close"}, wav()),
    "short": (200, {"content-type": "audio/wav"}, wav()[:4000]),
    "cut chunk": (
        200,
        {"content-type": "audio/wav", "transfer-encoding": "chunked", "connection": "close"},
        b"1000\r\n" + wav()[:3000],
    ),
    "empty": (200, {"content-type": "audio/wav"}, b""),
    "hung up": None,
    "wrong key": told(401, "who are you"),
    "wrong path": told(404, "no such route"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_an_upstream_spoils_another_one_speaks(tmp_path: Path, fault: str) -> None:
    async def go() -> None:
        bad, good = ours(Fake(replying(FAULTS[fault]))), ours(Fake())
        async with placed(tmp_path, bad, good) as (scheduler, _):
            request = job("Only one.")
            events = await spoken_by(scheduler, request)
            assert error_of(events) is None and indices(events) == [0]
            assert len(good.spoken) == 1 and len(bad.spoken) <= 1
            again = await spoken_by(scheduler, job(TEXT))
            assert error_of(again) is None and indices(again) == [0, 1, 2]

    asyncio.run(go())


def test_what_every_upstream_spoils_fails_with_the_reason_after_three_tries(tmp_path: Path) -> None:
    async def go() -> None:
        fakes = [ours(Fake(replying(told(500, "cuda error")))) for _ in range(2)]
        async with placed(tmp_path, *fakes) as (scheduler, _):
            error = error_of(await spoken_by(scheduler, job("Only one.")))
            assert isinstance(error, EngineFailed) and "it answered 500 (cuda error)" in error.message()
            assert sum(len(fake.spoken) for fake in fakes) == 3
            assert {len(fake.spoken) for fake in fakes} == {1, 2}, "it is tried elsewhere first"

    asyncio.run(go())


def test_back_pressure_costs_a_segment_nothing_but_the_wait(tmp_path: Path) -> None:
    async def go() -> None:
        fake = ours(Fake(replying(told(429, retry_after="0.3"), sound())))
        async with placed(tmp_path, fake, concurrency=1) as (scheduler, pool):
            request = job("Only one.")
            scheduler.submit(request)
            await until(lambda: pool.workers()[0].stats.get("rest_s"), 5, "it does not rest")
            assert len(fake.spoken) == 1 and not request.ended and scheduler.running == 0
            events = await listen(request)
            assert error_of(events) is None and len(fake.spoken) == 2
            assert request.retries == {} and request.strikes == {}

    asyncio.run(go())


def test_what_one_has_no_room_for_another_one_speaks_at_once(tmp_path: Path) -> None:
    async def go() -> None:
        full, free = ours(Fake(replying(told(503, retry_after="60")))), ours(Fake())
        async with placed(tmp_path, full, free) as (scheduler, _):
            for _ in range(4):
                events = await spoken_by(scheduler, job("Only one."), 5)
                assert error_of(events) is None
            assert len(full.spoken) <= 1 and len(free.spoken) == 4

    asyncio.run(go())


def test_when_all_rest_for_long_it_is_said_at_the_door_and_to_those_inside(tmp_path: Path) -> None:
    async def go() -> None:
        fake = ours(Fake(replying(told(429, retry_after="90"))))
        async with placed(tmp_path, fake, queue_timeout=0.5) as (scheduler, _):
            error = error_of(await spoken_by(scheduler, job("Only one.")))
            assert isinstance(error, Overloaded) and 80 < (error.retry_after or 0) <= 90
            with pytest.raises(Overloaded) as refused:
                scheduler.submit(job("Another."))
            assert refused.value.code == "workers_busy" and 80 < (refused.value.retry_after or 0) <= 90
            assert len(fake.spoken) == 1

    asyncio.run(go())


def test_slowness_is_ended_and_tried_elsewhere(tmp_path: Path) -> None:
    async def go() -> None:
        slow, quick = ours(Fake(never)), ours(Fake())
        async with placed(tmp_path, slow, quick, seconds=0.4) as (scheduler, _):
            events = await spoken_by(scheduler, job(TEXT))
            assert error_of(events) is None and indices(events) == [0, 1, 2]
            await until(
                lambda: all(one.gone.is_set() for one in slow.asked if "speech" in one.path), 5, "held"
            )

    asyncio.run(go())


def test_slowness_everywhere_is_out_of_time(tmp_path: Path) -> None:
    async def go() -> None:
        fake = ours(Fake(never))
        async with placed(tmp_path, fake, seconds=0.3) as (scheduler, _):
            error = error_of(await spoken_by(scheduler, job("Only one.")))
            assert isinstance(error, DeadlineExceeded) and error.facts["seconds"] == 0.3
            assert len(fake.spoken) == 2

    asyncio.run(go())


def test_a_refusal_is_the_segments_own_fault(tmp_path: Path) -> None:
    async def go() -> None:
        first, second = (ours(Fake(replying(told(400, "the text is\nodd")))) for _ in range(2))
        async with placed(tmp_path, first, second) as (scheduler, _):
            error = error_of(await spoken_by(scheduler, job("Only one.")))
            assert isinstance(error, Invalid) and error.code == "upstream_refused"
            assert "400 (the text is odd)" in error.message()
            assert len(first.spoken) + len(second.spoken) == 1
            first.speak = second.speak = replying(told(404, "gone", "voice_not_found"))
            error = error_of(await spoken_by(scheduler, job("Only one.")))
            assert isinstance(error, Invalid) and error.code == "voice_not_found"

    asyncio.run(go())


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    async def go() -> None:
        target = Fake()
        await target.start()
        away = (307, {"location": f"{target.url}/v1/audio/speech"}, b"")
        async with placed(tmp_path, ours(Fake(replying(away)))) as (scheduler, _):
            error = error_of(await spoken_by(scheduler, job("Only one.")))
            assert "redirects" in error.message() and target.asked == []
        await target.stop()

    asyncio.run(go())


def test_a_link_that_is_ended_hands_over_what_it_had(tmp_path: Path) -> None:
    async def go() -> None:
        first, second = ours(Fake(never)), ours(Fake())
        async with placed(tmp_path, first, second, seconds=60) as (scheduler, pool):
            second.speak = never
            request = job(TEXT)
            scheduler.submit(request)
            await until(lambda: len(first.spoken) + len(second.spoken) == 3, 5, "not all were sent")
            first.speak = second.speak = speaks
            for host in pool.hosts:
                host._link.kill("for the test")  # type: ignore[union-attr]
            events = await listen(request)
            assert error_of(events) is None and indices(events) == [0, 1, 2]
            assert pool.restarts == 2

    asyncio.run(go())


def test_a_cancel_closes_the_connection(tmp_path: Path) -> None:
    async def go() -> None:
        fake = ours(Fake(never))
        async with placed(tmp_path, fake, seconds=60, concurrency=2) as (scheduler, pool):
            request = job(TEXT)
            scheduler.submit(request)
            await until(lambda: len(fake.spoken) == 2, 5, "nothing came")
            scheduler.cancel(request, Invalid("empty_text"))
            await until(lambda: scheduler.running == 0, 5, "still running")
            await until(
                lambda: all(one.gone.is_set() for one in fake.asked if "speech" in one.path), 5, "held"
            )
            fake.speak = speaks
            assert error_of(await spoken_by(scheduler, job(TEXT))) is None
            assert pool.restarts == 0

    asyncio.run(go())


def test_death_hands_over_what_it_had(tmp_path: Path) -> None:
    async def go() -> None:
        dying, other = ours(Fake(never)), ours(Fake())
        async with placed(tmp_path, dying, other, seconds=60, concurrency=2) as (scheduler, pool):
            requests = [job("Only one.") for _ in range(6)]
            for request in requests:
                scheduler.submit(request)
            await until(lambda: len(dying.spoken) == 2, 5, "not all were sent")
            await dying.stop()
            for request in requests:
                assert error_of(await listen(request)) is None and request.strikes == {}
            assert len(other.spoken) == 6
            await until(lambda: pool.hosts[0].state == "restarting", 5, "nobody noticed")

    asyncio.run(go())


@pytest.mark.slow
def test_one_that_died_is_found_again_and_the_other_is_left_alone(tmp_path: Path) -> None:
    async def go() -> None:
        dying, other = ours(Fake(never)), ours(Fake())
        async with placed(tmp_path, dying, other, seconds=60, concurrency=2) as (scheduler, pool):
            reasons: list[str] = []
            pool.on_ended(lambda device, reason: reasons.append(f"{device} {reason}"))
            other.speak = never
            requests = [job("Only one.") for _ in range(4)]
            for request in requests:
                scheduler.submit(request)
            await until(lambda: len(dying.spoken) == len(other.spoken) == 2, 5, "not all were sent")
            await dying.stop()
            other.speak = speaks
            await until(lambda: pool.hosts[0].state == "restarting", 5, "nobody noticed")
            assert reasons[0] == "a a: it cannot be reached"
            for one in [one for one in other.asked if "speech" in one.path]:
                assert not one.gone.is_set(), "the other one was left alone"
            dying.speak = speaks
            await dying.start()
            await until(lambda: pool.hosts[0].state == "ready", 15, "it was not found again")
            assert pool.gave_up is None
            for request in requests[:2] if requests[0].ended else requests:
                if not request.ended:
                    scheduler.cancel(request, Invalid("empty_text"))
            assert error_of(await spoken_by(scheduler, job(TEXT))) is None

    asyncio.run(go())


def test_one_that_is_away_is_waited_for_and_never_given_up(tmp_path: Path) -> None:
    async def go() -> None:
        fake = ours(Fake())
        await fake.start()
        await fake.stop()  # it has a port now

        class Late(Fake):
            async def start(self) -> None:
                return

        late = Late(port=fake.port)
        async with placed(tmp_path, late, ready=False) as (_, pool):
            await until(lambda: pool.hosts[0].restarts >= 2, 10, "it was not tried")
            assert pool.hosts[0].state == "loading" and "cannot be reached" in pool.reason
            await Fake.start(ours(late))
            await until(lambda: pool.state == "ready", 15, "it was not found")

    asyncio.run(go())


def test_one_that_loads_tells_how_far_it_is(tmp_path: Path) -> None:
    async def go() -> None:
        fake = ours(Fake(), ready=False, state="loading", fraction=0.4)
        async with placed(tmp_path, fake, ready=False) as (_, pool):
            await until(lambda: pool.fraction == 0.4, 5, "it does not tell")
            assert pool.state == "loading" and pool.hosts[0].restarts == 0
            ours(fake)
            await until(lambda: pool.state == "ready", 5, "it is not noticed")

    asyncio.run(go())


def test_one_that_drains_gets_nothing_more_and_finishes_what_it_has(tmp_path: Path) -> None:
    async def go() -> None:
        gate = asyncio.Event()

        async def waits(asked: Asked) -> Reply:
            await gate.wait()
            return sound()

        fake, other = ours(Fake(waits)), ours(Fake())
        async with placed(tmp_path, fake, other, concurrency=2) as (scheduler, pool):
            other.speak = waits
            requests = [job("Only one.") for _ in range(4)]
            for request in requests:
                scheduler.submit(request)
            await until(lambda: len(fake.spoken) == len(other.spoken) == 2, 5, "not all were sent")
            ours(fake, ready=False, state="draining")
            pool.hosts[0]._link._watch.doubt.set()  # type: ignore[union-attr]
            await until(lambda: not pool.hosts[0]._link._state.ready, 5, "not noticed")  # type: ignore[union-attr]
            assert pool.hosts[0].state == "ready" and len(fake.spoken) == 2
            gate.set()
            for request in requests:
                assert error_of(await listen(request)) is None and request.retries == {}
            pool.hosts[0]._link._watch.doubt.set()  # type: ignore[union-attr]
            await until(lambda: "draining" in pool.hosts[0].reason, 5, "it is still asked")

    asyncio.run(go())


def test_the_one_with_the_shorter_queue_gets_more(tmp_path: Path) -> None:
    async def go() -> None:
        gate = asyncio.Event()

        async def waits(asked: Asked) -> Reply:
            await gate.wait()
            return sound(0.02)

        idle, loaded = ours(Fake(waits)), ours(Fake(waits), running=6, waiting=4)
        async with placed(tmp_path, idle, loaded, concurrency=12) as (scheduler, pool):
            assert [one.stats["window"] for one in pool.workers()] == [12, 2]
            requests = [job("Only one.") for _ in range(14)]
            for request in requests:
                scheduler.submit(request)
            await until(lambda: len(idle.spoken) + len(loaded.spoken) == 14, 5, "not all were sent")
            assert (len(idle.spoken), len(loaded.spoken)) == (12, 2)
            gate.set()
            for request in requests:
                assert error_of(await listen(request)) is None

    asyncio.run(go())


def test_connections_are_few_and_used_again(tmp_path: Path) -> None:
    async def go() -> None:
        fake = ours(Fake())
        async with placed(tmp_path, fake, concurrency=3) as (scheduler, _):
            for _ in range(3):
                requests = [job(TEXT) for _ in range(8)]
                for request in requests:
                    scheduler.submit(request)
                for request in requests:
                    assert error_of(await listen(request)) is None
            assert len(fake.spoken) == 72 and fake.most <= 5

    asyncio.run(go())


def test_an_unknown_server_is_met_as_vllm_omni_by_its_models(tmp_path: Path) -> None:
    async def go() -> None:
        fake = omni(Fake())
        async with placed(tmp_path, fake) as (scheduler, pool):
            assert pool.info["version"] == "vllm-omni IndexTeam/IndexTTS-2.5"
            assert {"clone", "emotion"} <= set(pool.info["features"])
            assert error_of(await spoken_by(scheduler, job("Only one."))) is None

    asyncio.run(go())
