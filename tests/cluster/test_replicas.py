"""Replicas of a front, each a process with a worker: they share the work, die, come back, leave."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from index_tts_ui.speech import VoiceRef

from ..scheduler.bench import ended, job, listen, until
from .place import Front, front


@pytest.mark.slow
def test_two_replicas_share_the_work_and_either_may_be_killed_at_any_time(tmp_path: Path) -> None:
    async def go() -> None:
        async with front(tmp_path) as place:
            assert place.pool.state == "restarting"
            for number in (1, 2):
                place.replica(number, "step_ms=4,char_ms=5,ahead=0", "--max-batch-size", "2")
            await place.ready(2)
            assert {worker.device for worker in place.pool.workers()} == {"box-1#1", "box-2#1"}
            stop, served, longest = asyncio.Event(), 0, 0.0

            async def user(name: int) -> None:
                nonlocal served, longest
                while not stop.is_set():
                    began = time.monotonic()
                    await place.speak(owner=str(name))
                    longest = max(longest, time.monotonic() - began)
                    served += 1

            users = [asyncio.create_task(user(name)) for name in range(6)]
            await until(lambda: all(host._lane.flights for host in place.pool.hosts), 20, "one is idle")
            victim = place.replicas[0]
            for process in (victim.workers()[0].pid, victim.process.pid):
                goal = served + 6
                os.kill(process, signal.SIGKILL)
                await until(
                    lambda goal=goal: served >= goal or any(one.done() for one in users),
                    30,
                    "nobody is served",
                )
            await until(lambda: len(place.pool.hosts) == 1, 20, "the dead replica is still there")
            assert len(place.scheduler._lanes) == 1
            place.replica(3, "step_ms=4,char_ms=5", "--max-batch-size", "2")
            await place.ready(2)
            stop.set()
            await asyncio.gather(*users)
            print(f"longest request, with a worker and a replica killed: {longest:.2f} s")

    asyncio.run(go())


@pytest.mark.slow
def test_a_front_that_starts_again_finds_the_model_loaded(tmp_path: Path) -> None:
    async def go() -> None:
        async with front(tmp_path) as place:
            replica = place.replica(1, "step_ms=15,char_ms=5,load_ms=100")
            await place.ready(1)
            (worker,) = replica.workers()
            request = job("A long sentence that is not over when its front is gone for good.")
            place.scheduler.submit(request)
            await until(lambda: place.scheduler.running, 10, "it does not run")
            await place.pool.stop()
            again = Front(tmp_path, port=place.dock.port)
            again.pool.start()
            try:
                await again.ready(1)
                assert await again.speak("One. Two. Three. Four.") == 4
                lane = again.pool.hosts[0]._lane
                await until(lambda: lane.credit >= 20, 10, "credit of the front before was not given back")
                assert lane.credit == 20, "16 rows and 4 places at the door"
                assert replica.workers() == [worker]
                assert again.pool.restarts == 0
            finally:
                await again.pool.stop()

    asyncio.run(go())


@pytest.mark.slow
def test_a_replica_that_is_told_to_stop_speaks_what_it_has(tmp_path: Path) -> None:
    async def go() -> None:
        async with front(tmp_path) as place:
            replica = place.replica(1, "step_ms=20,char_ms=5")
            await place.ready(1)
            ends: list[tuple[str, str]] = []
            place.pool.on_ended(lambda device, reason: ends.append((device, reason)))
            request = job("This takes a second or so, and it is spoken to its end.")
            place.scheduler.submit(request)
            await until(lambda: place.scheduler.running, 10, "it does not run")
            replica.process.terminate()
            assert ended(await listen(request, 30)).error is None
            assert request.attempts == {0: 1}
            await until(lambda: not place.pool.hosts, 20, "it stays")
            assert place.pool.state == "restarting" and not ends
            assert await asyncio.to_thread(replica.process.wait, 20) == 0

    asyncio.run(go())


@pytest.mark.slow
def test_what_is_not_of_this_cluster_stays_outside(tmp_path: Path) -> None:
    async def go() -> None:
        async with front(tmp_path) as place:
            stranger = place.replica(1, "", token="some other token than the front's")
            other = place.replica(2, "", "--engine", "tone-clone")
            await until(lambda: "its token is not the front's" in stranger.log, 30, "it is not told why")
            await until(lambda: "it speaks with tone-clone" in other.log, 30, "it is not told why")
            assert not place.pool.hosts
            _, writer = await asyncio.open_connection("127.0.0.1", place.dock.port)
            writer.write(b"GET / HTTP/1.1\r\n\r\n" * 100)
            await writer.drain()
            writer.close()
            place.replica(3, "")
            await place.ready(1)

    asyncio.run(go())


def test_a_clip_reaches_the_replica_that_lacks_it_once(tmp_path: Path) -> None:
    data = b"RIFF of a clip"
    key = hashlib.sha256(data).hexdigest()
    clips = tmp_path / "voices" / "clips"
    clips.mkdir(parents=True)
    (clips / f"{key}.wav").write_bytes(data)

    async def go() -> None:
        async with front(tmp_path) as place:
            replica = place.replica(1, "step_ms=1")
            await place.ready(1)
            for voice in (key, key, "0" * 64):  # the last is nowhere: that is the engine's to say
                request = job("One. Two. Three.")
                request.segments = [
                    replace(segment, voices=(VoiceRef("clip", voice),)) for segment in request.segments
                ]
                place.scheduler.submit(request)
                assert ended(await listen(request, 20)).error is None
            there = list((replica.home / "voices" / "clips").iterdir())
            assert [path.name for path in there] == [f"{key}.wav"] and there[0].read_bytes() == data

    asyncio.run(go())


@pytest.mark.slow
def test_a_replica_that_falls_silent_is_given_up_and_its_segments_are_spoken_elsewhere(
    tmp_path: Path,
) -> None:
    async def go() -> None:
        async with front(tmp_path) as place:
            for number in (1, 2):
                place.replica(number, "step_ms=10,char_ms=5,ahead=0", "--max-batch-size", "2")
            await place.ready(2)
            requests = [job("Some more words to speak.", owner=str(name)) for name in range(4)]
            for request in requests:
                place.scheduler.submit(request)
            await until(lambda: all(host._lane.flights for host in place.pool.hosts), 10, "one is idle")
            began = time.monotonic()
            for process in (place.replicas[0].process.pid, place.replicas[0].workers()[0].pid):
                os.kill(process, signal.SIGSTOP)  # as when its machine loses the network
            for events in await asyncio.gather(*(listen(request, 40) for request in requests)):
                assert ended(events).error is None
            print(f"stall, with a machine that fell silent: {time.monotonic() - began:.1f} s")
            assert len(place.pool.hosts) == 1
            os.kill(place.replicas[0].workers()[0].pid, signal.SIGCONT)
            place.replicas[0].process.send_signal(signal.SIGCONT)
            await place.ready(2)  # it comes back by itself

    asyncio.run(go())
