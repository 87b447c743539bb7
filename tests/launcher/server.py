"""A test program: a small real server that speaks the supervisor's protocol, with faults on command.

The launcher starts it in place of the application through TTS_SERVER_COMMAND. Its behaviour is its
first argument; everything after that is what the launcher passes to any server.

normal         ready at once; answers every GET with its pid and its arguments
slow           reports loading, is ready after two seconds
never-ready    reports loading for ever
exit-N         ends with code N at once            die-N    becomes ready, then ends with code N
refuse         says why in a fatal message and ends with 78
silent         becomes ready, then stops beating   no-hello says nothing at all
deaf           ignores SIGTERM and drain           busy     drains for a minute
deaf-loading   never ready, and ignores SIGTERM    stuck    deaf, and stays when its supervisor is gone
twin           has a child that keeps the listening socket open
brood          has children that ignore SIGTERM and have children of their own all the time
family         has a child, and a grandchild in its own session that ignores SIGTERM
orphan         as family, but the grandchild's parent ends at once and its environment is empty
spew           writes invalid UTF-8, colours and a very long line, then ends with code 3
"""

from __future__ import annotations

import ctypes
import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

DEAF = ("deaf", "deaf-loading", "stuck")
PR_SET_PDEATHSIG = 1  # prctl(2)
BROOD_SECONDS = 20  # then it ends by itself, so that a failing test leaves no plague
IGNORE_TERM = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"


class Handler(http.server.BaseHTTPRequestHandler):
    """Who am I."""

    def do_GET(self) -> None:
        body = json.dumps({"pid": os.getpid(), "argv": sys.argv[2:]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Quiet."""


class Control:
    """The server's end of the control channel; its closing ends the process."""

    def __init__(self, behaviour: str) -> None:
        self.behaviour = behaviour
        self.socket = socket.socket(fileno=int(os.environ["TTS_CONTROL_FD"]))
        self.socket.set_inheritable(False)
        self.accepted = threading.Event()

    def send(self, kind: str, **fields: object) -> None:
        """One line."""
        self.socket.sendall(json.dumps({"type": kind, **fields}).encode() + b"\n")

    def listen(self) -> None:
        """Obey until the supervisor is gone."""
        for line in self.socket.makefile("rb"):
            message = json.loads(line)
            print("control:", message, flush=True)
            if message["type"] == "accept":
                self.accepted.set()
            if message["type"] == "drain" and self.behaviour not in (*DEAF, "busy"):
                self.send("listener_closed")
                self.send("drained", cancelled=0)
        if self.behaviour != "stuck":
            os._exit(1)

    def beat(self) -> None:
        """Ten times a second."""
        while True:
            time.sleep(0.1)
            try:
                self.send("beat", lag_ms=0)
            except OSError:
                if self.behaviour != "stuck":
                    raise


def serve() -> None:
    """Answer on the inherited socket, in a thread."""
    server = http.server.ThreadingHTTPServer(("", 0), Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = socket.socket(fileno=int(os.environ["TTS_LISTEN_FD"]))
    threading.Thread(target=server.serve_forever, daemon=True).start()


def have_family(orphan: bool) -> None:
    """Processes that a whole-tree stop must find. They inherit the lock, as workers do."""
    middle = (
        "import subprocess, sys, time, os;"
        f"subprocess.Popen([sys.executable, '-c', {IGNORE_TERM!r}], start_new_session=True"
        f"{', env={}' if orphan else ''});"
        f"{'os._exit(0)' if orphan else 'time.sleep(600)'}"
    )
    subprocess.Popen([sys.executable, "-c", middle])


def breed() -> None:
    """A chain: each lives for 50 ms in a session of its own, and leaves a child behind."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    end = time.monotonic() + BROOD_SECONDS
    while time.monotonic() < end:
        time.sleep(0.05)
        if os.fork():
            os._exit(0)
        os.setsid()
    os._exit(0)


def main() -> None:
    """See the module."""
    behaviour = sys.argv[1]
    print("server", os.getpid(), behaviour, flush=True)
    if behaviour.startswith("exit-"):
        sys.exit(int(behaviour[5:]))
    if behaviour == "no-hello":
        time.sleep(600)
    if behaviour == "spew":
        sys.stdout.buffer.write(b"\xff\xfe\x1b[31mred\x1b[0m" + b"x" * 100_000 + b"\n")
        sys.exit(3)
    control = Control(behaviour)
    control.send("hello", generation=int(os.environ["TTS_GENERATION"]), pid=os.getpid())
    if behaviour == "refuse":
        control.send("fatal", exit_code=78, reason="the voice is not there")
        sys.exit(78)
    if behaviour in DEAF:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if behaviour == "stuck":  # as where the kernel knows no parent-death signal
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, 0)
    if behaviour in ("family", "orphan"):
        have_family(behaviour == "orphan")
    if behaviour == "brood" and os.fork() == 0:
        breed()
    if behaviour == "twin" and os.fork() == 0:
        time.sleep(600)
    try:
        threading.Thread(target=control.listen, daemon=True).start()
    except RuntimeError as error:  # a thread counts as a process where these are limited
        sys.exit(f"no listener: {error}")
    if not control.accepted.wait(30):
        sys.exit("no accept within 30 s")
    serve()
    for step in range(20 if behaviour == "slow" else 0):
        control.send("loading", fraction=step / 20, text=f"part {step}")
        time.sleep(0.1)
    if behaviour in ("never-ready", "deaf-loading"):
        control.send("loading", fraction=0.5, text="for ever")
    else:
        control.send("ready")
    if behaviour.startswith("die-"):
        os._exit(int(behaviour[4:]))
    if behaviour == "silent":
        time.sleep(600)
    control.beat()


if __name__ == "__main__":
    main()
