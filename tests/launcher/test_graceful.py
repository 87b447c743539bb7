"""Graceful restarts: the next server takes over the socket, and no request is lost on the way."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from launcher import identity, request, state

from .conftest import Launch, finish, wait_for

SUCCESSOR = Path(__file__).with_name("successor.py")


class Team(Launch):
    """An instance of small servers that can hand over; ``behaviour`` names them by generation."""

    def env(self) -> dict[str, str]:
        """See ``Launch``."""
        return super().env() | {"TTS_SERVER_COMMAND": f"{sys.executable} {SUCCESSOR} {self.behaviour}"}


@pytest.fixture
def team(launch: Launch) -> Iterator[Team]:
    """One that behaves, unless told otherwise."""
    instance = Team(launch.home, launch.port, "good")
    yield instance
    instance.clean_up()


def _order(launch: Launch, *words: str) -> list[str]:
    """Which of ``words`` the servers said or heard, in the order of the first time."""
    lines = launch.instance.server_log.read_text().splitlines()
    return list(dict.fromkeys(line for line in lines if line.endswith(words)))


def test_one_model_at_a_time_and_who_comes_between_waits_for_the_new_one(team: Team) -> None:
    team.behaviour = "busy,slow"
    first = team.start()
    child = team.spawn("restart", "--graceful")
    wait_for("the door is left", lambda: "has left the socket" in team.log())
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(team.ask)
        status = team.status()
        assert status["state"] == "STARTING" and not status["ready"] and status["generation"] == 2
        assert "generation 2: load" not in _order(team, "load"), "the old model is still there"
        (team.home / "enough").touch()
        finish(child, 0)
        assert waiting.result(20)["pid"] == team.status()["server_pid"] != first["pid"]
    steps = [
        "generation 1: handover",
        "generation 1: is drained",
        "generation 2: load",
        "generation 2: accept",
    ]
    assert [line for line in _order(team, "handover", "drained", "load", "accept") if line in steps] == steps
    assert team.status()["supervisor_pid"] == first["supervisor_pid"]


@pytest.mark.slow
def test_with_overlap_the_old_one_serves_until_the_new_one_can(team: Team) -> None:
    team.behaviour = "good,slow"
    first = team.start()
    child = team.spawn("restart", "--overlap")
    wait_for("the new one loads", lambda: _order(team, "2: load"))
    assert team.ask()["pid"] == first["pid"] and team.status()["ready"]
    finish(child, 0)
    assert team.ask()["pid"] == team.status()["server_pid"] != first["pid"]
    assert _order(team, "handover")


@pytest.mark.slow
@pytest.mark.parametrize(("behaviour", "code"), [("exit-78", 6), ("exit-3", 1), ("never", 1)])
def test_a_new_server_that_does_not_come_up_leaves_the_old_one_alone(
    team: Launch, behaviour: str, code: int
) -> None:
    team.behaviour, team.policy["hello"] = f"good,{behaviour},good", 2
    first = team.start()
    assert "the old one goes on serving" in team("restart", "--graceful", code=code)
    status = team.status()
    assert team.ask()["pid"] == first["pid"] == status["server_pid"]
    assert status["state"] == "RUNNING" and status["ready"] and status["generation"] == 1
    wait_for("nothing of the new one is left", lambda: team.processes() == {first["pid"]})
    team("restart", "--graceful")
    assert team.ask()["pid"] != first["pid"]


def test_new_options_are_those_of_the_instance_afterwards(team: Team) -> None:
    team.start("--max-waiting", "7")
    team("restart", "--graceful", "--max-text", "99")
    team("restart", "--graceful")
    assert {"7", "99"} <= set(team.ask()["argv"])
    team("restart")
    assert {"7", "99"} <= set(team.ask()["argv"])


def test_another_address_needs_another_socket(team: Team) -> None:
    first = team.start()
    assert "without --graceful" in team("restart", "--graceful", "--port", str(team.port + 1), code=2)
    assert team.ask()["pid"] == first["pid"]


def test_an_instance_that_does_not_run_is_started(team: Team) -> None:
    team("restart", "--graceful")
    assert team.status()["ready"]
    os.kill(team.status()["supervisor_pid"], signal.SIGKILL)
    team.gone()
    team("restart", "--graceful")
    assert team.status()["generation"] == 1


@pytest.mark.slow
@pytest.mark.fault(20)
def test_two_graceful_restarts_at_once_are_served_by_one_server(team: Team) -> None:
    team.behaviour = "busy,slow"
    team.start()
    children = [team.spawn("restart", "--graceful") for _ in range(3)]
    wait_for("all have asked", lambda: len(_answers(team)) == 3)
    (team.home / "enough").touch()
    for child in children:
        finish(child, 0)
    assert team.status()["generation"] == 2


def _answers(launch: Launch) -> dict[str, Any]:
    record = state.read(launch.instance.state)
    return record.answers if record else {}


@pytest.mark.fault(70)
def test_a_restart_with_other_options_in_between_is_refused(team: Team) -> None:
    team.behaviour = "busy,good"
    team.start()
    child = team.spawn("restart", "--graceful")
    wait_for("it is under way", lambda: _answers(team))
    assert "under way" in team("restart", "--graceful", "--max-text", "99", code=1)
    (team.home / "enough").touch()
    finish(child, 0)


@pytest.mark.slow
@pytest.mark.fault(70)
@pytest.mark.parametrize("moment", ["never", "busy", "slow"])
def test_a_stop_wins_over_a_graceful_restart(team: Team, moment: str) -> None:
    team.behaviour = {"never": "good,never", "busy": "busy,good", "slow": "good,slow"}[moment]
    team.start("--drain-timeout", "1")
    child = team.spawn("restart", "--graceful")
    wait_for("the restart is under way", lambda: any(item["generation"] for item in _answers(team).values()))
    if moment != "never":
        wait_for("the old one goes", lambda: "has left the socket" in team.log())
    team("stop")
    assert "stop" in finish(child, 1).lower()
    team.gone(3)
    team("status", code=3)


@pytest.mark.slow
def test_an_old_server_that_does_not_go_is_ended_before_the_new_one_loads(team: Team) -> None:
    team.behaviour = "cling,good"
    first = team.start("--drain-timeout", "0.3")
    team("restart", "--graceful")
    assert not identity.Identity.of(first["pid"])
    assert team.ask()["pid"] == team.status()["server_pid"] and team.status()["restarts"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("behaviour", ["die-3", "silent"])
def test_a_new_server_that_dies_while_loading_is_followed_by_another(team: Team, behaviour: str) -> None:
    team.behaviour = f"good,{behaviour},good"
    team.start()
    team("restart", "--graceful")
    status = team.status()
    assert status["generation"] == 3 and status["restarts"] == 1
    assert team.ask()["pid"] == status["server_pid"]


def test_the_next_one_takes_the_place_of_an_old_one_that_dies_meanwhile(team: Team) -> None:
    team.behaviour, team.policy["base"] = "good,never", 60
    first = team.start()
    child = team.spawn("restart", "--graceful")
    wait_for("the next one is there", lambda: len(team.processes()) == 2)
    os.kill(first["pid"], signal.SIGKILL)
    finish(child, 0)
    status = team.status()
    assert status["generation"] == 2 and team.ask()["pid"] == status["server_pid"]


@pytest.mark.slow
def test_ctrl_c_ends_the_waiting_and_not_the_restart(team: Team) -> None:
    team.behaviour = "good,slow"
    first = team.start()
    child = team.spawn("restart", "--graceful")
    wait_for("the restart is under way", lambda: any(item["generation"] for item in _answers(team).values()))
    child.send_signal(signal.SIGINT)
    assert "goes on" in finish(child, 130)
    wait_for("the new one serves", lambda: (s := team.status())["ready"] and s["generation"] == 2)
    assert team.ask()["pid"] != first["pid"]


@pytest.mark.slow
def test_a_restart_asked_for_while_it_starts_begins_when_it_is_ready(team: Team) -> None:
    team.behaviour = "slow,good"
    child = team.spawn("start")
    wait_for("it is starting", lambda: (s := team.status())["state"] == "STARTING" and s["server_pid"])
    team("restart", "--graceful", "--max-text", "99")
    finish(child, 0)
    assert team.status()["generation"] == 2 and "99" in team.ask()["argv"]


def test_a_restart_asked_for_while_it_waits_after_a_crash_starts_it_at_once(team: Team) -> None:
    team.behaviour, team.policy["base"], team.policy["cap"] = "good", 60, 60
    os.kill(team.start()["pid"], signal.SIGKILL)
    wait_for("it waits", lambda: team.status()["state"] == "BACKOFF")
    team("restart", "--graceful", "--max-text", "99")
    assert team.status()["generation"] == 2 and "99" in team.ask()["argv"]


@pytest.mark.fault(87)
def test_a_supervisor_that_does_not_know_requests_gets_none(team: Team) -> None:
    first = team.start()
    record = json.loads(team.instance.state.read_text())
    del record["graceful"]
    team.instance.state.write_text(json.dumps(record))
    assert "older version" in team("restart", "--graceful", code=1)
    assert team.ask()["pid"] == first["pid"]


def test_a_request_that_makes_no_sense_changes_nothing(team: Team) -> None:
    first = team.start()
    for text in ("", "{", '{"given": 3}', "\0" * 4096):
        request.path_of(team.instance).write_text(text)
        os.kill(first["supervisor_pid"], signal.SIGUSR2)
        wait_for("it is taken away", lambda: not request.path_of(team.instance).exists())
    os.kill(first["supervisor_pid"], signal.SIGUSR2)  # and one without a file
    assert team.ask()["pid"] == first["pid"] and team.status()["ready"]


@pytest.mark.fault(61)
def test_both_servers_die_with_their_supervisor(team: Team) -> None:
    team.behaviour = "busy,good"
    started = team.start()
    child = team.spawn("restart", "--graceful")
    wait_for("the old one goes", lambda: "has left the socket" in team.log())
    assert len(team.processes()) == 2
    os.kill(started["supervisor_pid"], signal.SIGKILL)
    team.gone(5)
    finish(child, 1)
    assert team.start()["ended_leftovers"] == []
