"""The server's logging: fed with hostile text, flooded, held up by its disk, and the real server with all that."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from index_tts_ui.config import Config
from index_tts_ui.logs import lines, writer
from index_tts_ui.logs.lines import Line, as_json, as_text
from launcher.instance import Instance
from tests.api.server import Server, free_port, until

RECORD = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4} ")
HOSTILE = "a\nb\r\x1b[31mred\x07\x00\x85\u2028\u202e\udc80\t中文"


# lines


def record(message: str, *args: object, **more: object) -> Line:
    """As ``logging`` makes it."""
    made = logging.LogRecord("tts.x", logging.ERROR, __file__, 1, message, args, None)
    made.__dict__.update(more)
    return lines.of_record(made)


@pytest.mark.fault(78)
def test_no_text_forges_a_line() -> None:
    try:
        raise ValueError(f"{HOSTILE}\n2026-01-01T00:00:00.000+0000 ERROR tts.x forged")
    except ValueError:
        line = record("text: %s", HOSTILE, exc_info=sys.exc_info())
    head, *trace = as_text(line).splitlines()
    assert RECORD.match(head) and trace and all(part.startswith("    ") for part in trace)
    for text in (as_text(line), as_json(line)):
        assert text.endswith("\n") and text.replace("\n", "").isprintable()
        assert b"\x1b" not in text.encode("utf-8")
    assert len(as_json(line).splitlines()) == 1
    assert json.loads(as_json(line))["message"] == f"text: {HOSTILE}"
    assert "中文" in head and r"a\nb\r\x1b[31mred" in head


@pytest.mark.fault(78)
def test_no_path_forges_an_access_line_or_a_column() -> None:
    about = {"address": "::1", "method": "GET", "path": f"/a b\u3000{HOSTILE}", "status": 404}
    about |= {"bytes": 2, "seconds": 0.5, "id": "a b" * 1000}
    text = as_text(Line(0.0, logging.INFO, "tts.access", "", access=about))
    words = text.split()
    assert text.count("\n") == 1 and len(words) == 10 and words[4:9] == ["404", "2", "B", "0.5", "s"]
    assert len(text) < 4000
    assert json.loads(as_json(Line(0.0, logging.INFO, "a", "", access=about)))["path"] == about["path"]


def test_huge_lines_are_cut_and_wrong_formats_survive() -> None:
    assert len(as_text(record("%s", "x" * 10**7))) < 10_000
    try:
        raise ValueError("y" * 10**6)
    except ValueError:
        assert len(as_text(record("m", exc_info=sys.exc_info()))) < 50_000
    assert "not formatted" in as_text(record("%d", "no number"))


# the queue


class Kept:
    """A sink that remembers; ``gate`` holds it up as a slow disk does."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.gate = threading.Event()
        self.gate.set()

    def write(self, lines: Sequence[bytes]) -> None:
        """See ``files.Sink``."""
        assert self.gate.wait(30)
        self.text += [line.decode() for line in lines]


@pytest.fixture
def kept() -> Kept:
    """The sink of ``logger``."""
    return Kept()


@pytest.fixture
def logger(kept: Kept) -> logging.Logger:
    """A logger with a queue of its own."""
    queue = writer.Writer(as_text)
    own = logging.Logger("tts.test")
    own.addHandler(writer.Handler(queue, writer.Target(kept)))
    queue.start()
    return own


def test_a_storm_of_equal_lines_is_counted(logger: logging.Logger, kept: Kept) -> None:
    for number in range(20_000):
        logger.warning("it burns")
        if number == 10_000:
            logger.warning("something else")
    until(lambda: sum(map(storm_count, kept.text)) == 20_000, "every line is written or counted")
    assert len(kept.text) < 2000 and any("something else" in text for text in kept.text)


def storm_count(text: str) -> int:
    """How many lines of the storm a line stands for."""
    found = re.search(r"\((\d+) more within a second\) it burns", text)
    return int(found[1]) if found else int("it burns" in text)


def test_a_storm_of_different_lines_is_bounded(logger: logging.Logger, kept: Kept) -> None:
    for number in range(20_000):
        logger.info("line %d", number)
    until(lambda: sum(map(different, kept.text)) == 20_000, "every line is written or counted")
    assert any("were not written" in text for text in kept.text)


def different(text: str) -> int:
    """The same for lines that differ."""
    found = re.search(r"(\d+) more different lines within a second", text)
    return int(found[1]) if found else 1


@pytest.mark.fault(74)
def test_a_disk_that_hangs_holds_nobody_up(logger: logging.Logger, kept: Kept) -> None:
    kept.gate.clear()
    access = logging.LogRecord("tts.access", logging.INFO, "", 0, ABOUT, (), None)  # type: ignore[arg-type]
    for _ in range(3 * writer.MOST_LINES):  # would never end if one of them waited
        logger.handle(access)
    kept.gate.set()
    until(lambda: len(kept.text) >= writer.MOST_LINES, "what was queued is written")
    logger.info("after")
    until(lambda: any("lines dropped" in text for text in kept.text), "what was dropped is told")
    assert len(kept.text) < 2 * writer.MOST_LINES + 10


ABOUT = {"address": "::1", "method": "GET", "path": "/", "status": 200, "bytes": 0, "seconds": 0.1, "id": ""}


def test_a_flush_waits_for_what_was_logged(logger: logging.Logger, kept: Kept) -> None:
    logger.debug("one")
    logger.handlers[0].flush()
    assert len(kept.text) == 1


# the real server


def test_a_named_instance_writes_where_the_launcher_reads(tmp_path: Path) -> None:
    for name in ("default", "second"):
        assert Config(home=str(tmp_path), name=name).logs == Instance(tmp_path.resolve(), name).logs


@contextlib.contextmanager
def running(home: Path, out: Path, *flags: str) -> Iterator[Server]:
    """A server whose output is appended to a file, as the launcher does it."""
    port = free_port()
    command = [sys.executable, "-P", "-m", "index_tts_ui", "--home", str(home), "--port", str(port)]
    environ = {key: value for key, value in os.environ.items() if not key.startswith("TTS_")}
    with out.open("ab") as output:
        process = subprocess.Popen(
            [*command, "--engine", "tone", *flags], stdout=output, stderr=output, env=environ
        )
    server = Server(f"http://127.0.0.1:{port}", home, process)
    try:
        until(lambda: answers(server), "it is ready", 90)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(server: Server) -> bool:
    """Whether it is ready; it must not have ended."""
    assert server.process.poll() is None
    try:
        return httpx.get(f"{server.url}/readyz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def speak(server: Server) -> int:
    """Bytes of a sentence."""
    body = {"model": "tone", "voice": "tone-a", "input": "A sentence.", "response_format": "pcm"}
    answer = httpx.post(f"{server.url}/v1/audio/speech", json=body, timeout=30)
    assert answer.status_code == 200
    return len(answer.content)


@pytest.mark.fault(75, 78)
def test_the_servers_files_survive_a_rename_and_hostile_requests(tmp_path: Path) -> None:
    logs = tmp_path / "logs" / "second"
    logs.mkdir(parents=True)
    out = logs / "server.log"
    with running(tmp_path, out, "--name", "second", "--log-format", "json") as server:
        access = logs / "tts_access.log"
        with socket.create_connection(("127.0.0.1", server.port)) as raw:
            raw.sendall(b"GET /%0aforged%1b[31m HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            while raw.recv(1 << 16):
                pass
        until(lambda: "forged" in access.read_text(), "the request is logged")
        entries = [json.loads(line) for line in access.read_text("utf-8").splitlines()]
        assert entries[-1]["path"] == "/\nforged\x1b[31m" and entries[-1]["status"] == 404
        for path in list(logs.iterdir()):
            path.rename(path.with_name(path.name + ".moved"))

        def logged() -> bool:
            speak(server)
            return access.exists()

        until(logged, "the access log is there again")
        server.process.terminate()  # it says so on both
        server.process.wait(30)
    assert "drain" in (logs / "tts_debug.log").read_text() and "drain" in out.read_text()
    assert json.loads(out.read_text().splitlines()[0])["logger"].startswith("tts.")


@pytest.mark.fault(74)
def test_a_full_disk_does_not_disturb_the_service(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    for name in ("tts_access.log", "tts_error.log", "tts_debug.log"):
        (logs / name).symlink_to("/dev/full")
    out = tmp_path / "out"
    with running(tmp_path, out) as server:
        assert speak(server) == speak(server) > 0
        until(lambda: out.read_text().count("cannot be written") == 2, "one warning for each file in use")
        for path in logs.iterdir():
            path.unlink()

        def resumed() -> bool:
            speak(server)
            path = logs / "tts_access.log"
            return path.exists() and "lines were lost" in path.read_text()

        until(resumed, "it writes again, and says what was lost")
        assert out.read_text().count("tts_access.log cannot be written") == 1


@pytest.mark.slow
@pytest.mark.fault(79)
def test_a_broken_pipe_for_its_output_does_not_disturb_the_service(tmp_path: Path) -> None:
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    with running(tmp_path, fifo) as server:
        os.close(reader)
        assert speak(server) > 0
        server.process.terminate()
        assert server.process.wait(30) == 0
