"""The command line: light, documented in two languages, with codes and JSON that scripts can rely on."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from index_tts_ui import config
from launcher import messages, options
from launcher.cli import cli
from launcher.errors import BadArguments, NotConfigured

from .conftest import LAUNCH, SERVER, Launch, finish, wait_for

HEAVY = {"index_tts_ui", "torch", "gradio", "asyncio", "pydantic", "numpy"}


def _modules_after(argv: list[str], home: Path) -> set[str]:
    """Modules that a command has loaded when it ends."""
    code = (
        "import sys; sys.argv = ['tts-launch', *sys.argv[1:]]\n"
        "from launcher.cli import main\n"
        "try: main()\n"
        "finally: print('\\n' + ' '.join(sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-P", "-c", code, *argv], cwd=home, capture_output=True, text=True, timeout=60,
        env={**os.environ, "TTS_HOME": str(home)},
    )  # fmt: skip
    return set(ran.stdout.splitlines()[-1].split())


def test_status_and_stop_load_nothing_heavy(tmp_path: Path) -> None:
    for argv in (["status"], ["stop"], ["--help"]):
        assert not _modules_after(argv, tmp_path) & (
            HEAVY | {"psutil", "ctypes", "urllib.request", "subprocess", "ssl"}
        ), argv


def test_no_module_of_the_launcher_loads_the_application() -> None:
    names = [
        path.stem for path in Path(messages.__file__).parent.glob("*.py") if not path.stem.startswith("__")
    ]
    code = f"import sys\nfor name in {names!r}: __import__('launcher.' + name)\nprint(' '.join(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert not {name.partition(".")[0] for name in ran.stdout.split()} & HEAVY
    assert len(names) > 15


def test_shared_options_have_the_names_and_defaults_of_the_server() -> None:
    parser = argparse.ArgumentParser()
    config.add_flags(parser)
    flags = {flag for action in parser._actions for flag in action.option_strings}
    defaults = config.Config()
    for name, value in {**options.SHARED, options.DRAIN[0]: options.DRAIN[1]}.items():
        assert getattr(defaults, name) == value and "--" + name.replace("_", "-") in flags
    for command in ("start", "restart", "run"):
        own = {flag for param in cli.commands[command].params for flag in param.opts if flag.startswith("--")}
        assert own & flags == {"--" + name for name in options.SHARED}, "the rest is forwarded"


def test_the_server_parses_what_the_launcher_hands_on(tmp_path: Path) -> None:
    settings = options.resolve(
        {"home": str(tmp_path), "port": 1234}, ["--max-waiting", "7"], {"TTS_ENGINE": "tone"}
    )
    parsed = config.parse(settings.flags())
    assert (parsed.home_dir, parsed.port, parsed.engine, parsed.max_waiting) == (tmp_path, 1234, "tone", 7)


def test_sources_are_merged_as_the_server_merges_them(tmp_path: Path) -> None:
    (tmp_path / "tts.toml").write_text('host = "0.0.0.0"\nport = 7001\nengine = "tone"\ndrain_timeout = 5\n')
    environ = {"TTS_HOME": str(tmp_path), "TTS_PORT": "7002", "TTS_ENGINE": ""}
    ours = options.resolve({"device": "cpu"}, [], environ)
    theirs = config.load({"device": "cpu"}, environ)
    for name in ("host", "port", "engine", "device", "drain_timeout"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert (ours.host, ours.port, ours.engine, ours.drain_timeout) == ("0.0.0.0", 7002, "tone", 5.0)
    assert options.resolve({}, ["--drain-timeout=9"], environ).drain_timeout == 9


@pytest.mark.parametrize(("given", "environ", "kind"), [
    ({"name": "../x"}, {}, BadArguments), ({}, {"TTS_NAME": "a b"}, NotConfigured),
    ({}, {"TTS_PORT": "seven"}, NotConfigured), ({}, {"TTS_PORT": "70000"}, NotConfigured),
])  # fmt: skip
def test_values_that_make_no_sense_are_refused(
    tmp_path: Path, given: dict[str, str], environ: dict[str, str], kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        options.resolve({"home": str(tmp_path), **given}, [], environ)


def test_a_broken_tts_toml_is_named(launch: Launch) -> None:
    (launch.home / "tts.toml").write_text("port = ")
    assert "tts.toml" in launch("start", code=6)
    (launch.home / "tts.toml").unlink()
    os.mkfifo(launch.home / "tts.toml")  # read, it would never end
    assert "not a plain file" in launch("start", code=6)
    (launch.home / "tts.toml").unlink()


@pytest.mark.parametrize(
    "argv", [["start", "nonsense"], ["start", "--port", "0"], ["nonsense"], ["logs", "-n", "-1"]]
)
def test_bad_arguments_are_exit_2(launch: Launch, argv: list[str]) -> None:
    assert "Traceback" not in launch(*argv, code=2)


@pytest.mark.fault(39)
def test_status_tells_loading_from_ready(launch: Launch) -> None:
    launch("status", code=3)
    launch.behaviour = "never-ready"
    child = launch.spawn("start")
    wait_for("it loads", lambda: launch.status()["fraction"] == 0.5)
    assert launch.json("status")["state"] == "STARTING" and "50% loaded" in launch("status")
    launch("status", "--ready", code=1)
    child.send_signal(signal.SIGINT)
    finish(child, 130)
    launch.behaviour = "normal"
    launch.start()
    launch("status", "--ready")
    status = launch.json("status")
    assert status["ready"] and status["uptime"] >= 0 and status["address"].endswith(str(launch.port))


def test_errors_are_json_where_json_is_asked_for(launch: Launch) -> None:
    launch.engine = "kokoro"
    error = launch.json("start", code=6)
    assert error["error"] == "model_missing" and error["exit_code"] == 6


def test_logs_shows_the_tail_and_follows_across_rotation(launch: Launch) -> None:
    launch("logs", code=7)
    launch.start()
    assert "launcher:" in launch("logs", "-n", "3") and "server:" in launch("logs")
    child = launch.spawn("logs", "-f", "-n", "1")
    assert child.stdout
    os.set_blocking(child.stdout.fileno(), False)
    seen = b""

    def shows(line: str) -> bool:
        nonlocal seen
        assert child.stdout
        with contextlib.suppress(BlockingIOError):
            seen += os.read(child.stdout.fileno(), 1 << 16)
        return line in seen.decode().splitlines()

    wait_for("it has begun", lambda: shows("server: control: {'type': 'accept'}"))
    log = launch.instance.logs / "other.log"
    log.write_text("one\n")
    wait_for("a new file", lambda: shows("other: one"))
    log.rename(log.with_suffix(".log.1"))
    log.write_text("two\n")
    wait_for("the file after rotation", lambda: shows("other: two"))
    child.send_signal(signal.SIGINT)
    assert child.wait(timeout=20) == 130
    child.communicate(timeout=60)


def test_every_message_has_the_same_facts_in_both_languages() -> None:
    import string

    for key, pair in {**messages.MESSAGES, **messages.HELP}.items():
        facts = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in pair]
        assert facts[0] == facts[1], key
        assert pair[0] != pair[1] or key == "status_line", key


@pytest.mark.parametrize(("environ", "chinese"), [
    ({"LANG": "zh_CN.UTF-8"}, True), ({"LANG": "zh_TW", "LC_ALL": "en_US.UTF-8"}, False), ({}, False),
    ({"LANG": "en_US", "LC_MESSAGES": "zh_CN"}, True), ({"LANG": "C.UTF-8"}, False),
])  # fmt: skip
def test_the_first_locale_variable_that_is_set_decides(environ: dict[str, str], chinese: bool) -> None:
    assert messages.is_chinese(environ) is chinese


def test_help_names_every_command_with_an_example() -> None:
    for name in ("start", "stop", "restart", "status", "logs", "run"):
        assert f"tts-launch {name}" in (cli.commands[name].help or "")


@pytest.mark.fault(85)
def test_commands_work_in_a_poor_environment(launch: Launch) -> None:
    """No HOME, no PATH, no locale, a closed standard input, a strict umask."""
    import resource

    environ = {key: value for key, value in launch.env().items() if key.startswith("TTS_")}

    def poor() -> None:
        os.umask(0o077)
        os.close(0)
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    for argv in (["start"], ["status"], ["stop"]):
        ran = subprocess.run(
            [*LAUNCH, *argv], env=environ, cwd=launch.home, capture_output=True, timeout=60, preexec_fn=poor
        )
        assert ran.returncode == 0, ran


@pytest.mark.fault(32)
def test_the_servers_environment_names_what_it_inherits(launch: Launch) -> None:
    launch.environ["NOTIFY_SOCKET"] = "/nowhere"
    pid = launch.start()["pid"]
    environ = dict(
        item.split("=", 1) for item in Path(f"/proc/{pid}/environ").read_text().split("\0") if item
    )
    assert {
        "TTS_LISTEN_FD",
        "TTS_CONTROL_FD",
        "TTS_LOCK_FD",
        "TTS_INSTANCE",
        "TTS_GENERATION",
    } <= environ.keys()
    assert "NOTIFY_SOCKET" not in environ and str(SERVER) not in environ.values()
    assert Path(f"/proc/{pid}/fd/{environ['TTS_LOCK_FD']}").readlink() == launch.instance.lock


def test_every_command_and_option_is_explained_in_chinese() -> None:
    script = """
import click
from launcher.cli import cli
def walk(command, path):
    texts = [(path, command.help)]
    texts += [(f"{path} {p.opts[0]}", p.help) for p in command.params if isinstance(p, click.Option) and not p.hidden]
    for name, child in getattr(command, "commands", {}).items():
        texts += walk(child, f"{path} {name}")
    return texts
texts = walk(cli, "tts-launch")
print(len(texts), [name for name, text in texts if not any("\u4e00" <= c <= "\u9fff" for c in text or "")])
"""
    environ = {**os.environ, "LC_ALL": "zh_CN.UTF-8"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True, timeout=30, check=True
    )
    count, untranslated = done.stdout.split(maxsplit=1)
    assert int(count) > 80 and untranslated.strip() == "[]"
