"""``tts-launch doctor``: one line per finding, with a fix.

Every group of checks runs in a child (``python -m launcher.doctor GROUP``) that prints a line before and after
each check: a file server or driver that never answers costs the deadline, and is named, but hangs nobody.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib import import_module
from typing import Any

from .children import Ended, run_all
from .errors import LauncherError
from .instance import Instance
from .messages import say
from .options import Settings, resolve

OK, WARN, FAIL = "ok", "warn", "fail"
SECONDS = 8.0  # the default deadline
# group: its checks in order; each is the function check_<name> of launcher.doctor_<group>
GROUPS: dict[str, tuple[str, ...]] = {
    "machine": ("python", "packages", "memory", "files", "locale"),
    "gpu": ("gpu",),
    "torch": ("torch",),
    "instance": ("settings", "disk", "locks", "service", "port", "engine", "leftovers"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: ``check`` is stable, ``text`` and ``fix`` are in the user's language."""

    check: str
    state: str
    text: str
    fix: str = ""


class Context:
    """What checks may ask for; the settings are read when the first check needs them."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.given = given

    @cached_property
    def settings(self) -> Settings:
        """As given, else those with which the instance runs, else as configured.

        Raises LauncherError where they make no sense.
        """
        settings = resolve(self.given)
        given = {"device" if key == "gpu" else key for key, value in self.given.items() if value is not None}
        return replace(
            settings,
            **{key: value for key, value in _running(settings.instance).items() if key not in given},
        )


def _running(instance: Instance) -> dict[str, Any]:
    """What a live supervisor was started with; nothing where there is none."""
    from . import state

    try:
        record = state.read(instance.state)
    except LauncherError:
        return {}  # a check of its own tells
    if record is None or not record.port or record.supervisor is None or not record.supervisor.alive():
        return {}
    return {key: getattr(record, key) for key in ("host", "port", "engine", "device")}


Check = Callable[[Context], Iterator[Finding]]


def finding(check: str, state: str, key: str, fix: str = "", /, **facts: Any) -> Finding:
    """A finding in words: ``key`` and ``fix`` are messages that share ``facts``."""
    return Finding(check, state, say(key, **facts), say(fix, **facts) if fix else "")


def examine(
    given: Mapping[str, Any], seconds: float = SECONDS, groups: Sequence[str] = tuple(GROUPS)
) -> list[Finding]:
    """All findings of ``groups``, in their order, after at most ``seconds`` and a little."""
    ended = run_all([_command(group, given) for group in groups], seconds)
    return [
        found
        for group, end in zip(groups, ended, strict=True)
        for found in heard(GROUPS[group], _torch_lines(end) if group == "torch" else end, seconds)
    ]


def _command(group: str, given: Mapping[str, Any]) -> list[str]:
    if group == "torch":
        from .doctor_gpu import torch_command

        return torch_command()
    return [sys.executable, "-P", "-m", "launcher.doctor", group, json.dumps(dict(given))]


def _torch_lines(ended: Ended) -> Ended:
    """The heavy probe knows nothing of findings: its answer is judged here."""
    from .doctor_gpu import judge_torch

    if ended.code != 0:
        return ended
    lines = [json.dumps(asdict(item)) for item in judge_torch(ended.text)]
    return Ended(0, "\n".join([*lines, json.dumps({"done": "torch"})]))


def heard(checks: tuple[str, ...], ended: Ended, seconds: float) -> list[Finding]:
    """A child's findings; a check that it began and did not finish is a finding too."""
    lines = [json.loads(line) for line in ended.text.splitlines() if line.startswith("{") and line[-1] == "}"]
    found = [Finding(**line) for line in lines if "check" in line]
    undone = [name for name in checks if {"done": name} not in lines]
    if undone:
        stuck, *others = undone
        state = WARN if stuck == "torch" else FAIL  # its import may only be slow
        key = "doctor_no_answer" if ended.code is None else "doctor_crashed"
        fix = f"mend_hung_{_cause(stuck)}"
        found.append(finding(stuck, state, key, fix, seconds=seconds, code=ended.code))
        found += [
            finding(name, WARN, "doctor_not_reached", "mend_not_reached", stuck=stuck) for name in others
        ]
    return found


def _cause(check: str) -> str:
    """What may be stuck when a check does not answer: gpu, torch, disk (files of the instance) or machine."""
    group = next(name for name, checks in GROUPS.items() if check in checks)
    return "disk" if group == "instance" else group


def exit_code(findings: list[Finding]) -> int:
    """1 where anything fails."""
    return int(any(item.state == FAIL for item in findings))


def main(argv: list[str]) -> None:
    """The child: every check of a group, a line before it is forgotten what was found."""
    group, context = argv[0], Context(json.loads(argv[1]))
    module = import_module(f".doctor_{group}", __package__)
    for name in GROUPS[group]:
        broken = False
        try:
            for item in getattr(module, f"check_{name}")(context):
                print(json.dumps(asdict(item)), flush=True)
        except LauncherError as error:
            broken = name == "settings"  # then nothing of the instance can be looked at
            print(json.dumps(asdict(Finding(name, FAIL, error.message, say("mend_see_message")))), flush=True)
        except Exception as error:  # a defect here must not hide the other findings
            text = finding(
                name, WARN, "doctor_defect", "mend_defect", error=f"{type(error).__name__}: {error}"
            )
            print(json.dumps(asdict(text)), flush=True)
        print(json.dumps({"done": name}), flush=True)
        if broken:
            for other in GROUPS[group]:
                print(json.dumps({"done": other}), flush=True)
            return


if __name__ == "__main__":
    main(sys.argv[1:])
