"""A test program: a small real server that can hand over, with a behaviour for each generation.

The first argument names the behaviours by comma, one for each generation (the last one stays).

good       prepared at once; loads in an instant when it may; drains at once when it hands over
slow       as good, but loads for a second
exit-N     ends with code N before it is prepared       die-N   ends with code N as soon as it may load
never      is never prepared                            silent  as good, but stops beating once it may load
cling      never drains, and closes its listener only when it is ended
busy       leaves the socket at once, and drains until a file named "enough" is in the current folder
"""

from __future__ import annotations

import http.server
import json
import os
import socket
import sys
import threading
import time
from pathlib import Path

from server import Handler

GENERATION = int(os.environ["TTS_GENERATION"])


class Server:
    """Answers on the shared socket between ``accept`` and ``handover``."""

    def __init__(self, behaviour: str) -> None:
        self.behaviour = behaviour
        self.control = socket.socket(fileno=int(os.environ["TTS_CONTROL_FD"]))
        self.control.set_inheritable(False)
        self.http = http.server.ThreadingHTTPServer(("", 0), Handler, bind_and_activate=False)
        self.http.socket.close()
        self.http.socket = socket.socket(fileno=int(os.environ["TTS_LISTEN_FD"]))
        self.loads = threading.Event()
        self.serving = False

    def say(self, kind: str, **fields: object) -> None:
        """One line to the supervisor."""
        self.control.sendall(json.dumps({"type": kind, **fields}).encode() + b"\n")

    def listen(self) -> None:
        """Obey until the supervisor is gone."""
        for line in self.control.makefile("rb"):
            kind = json.loads(line)["type"]
            print(f"generation {GENERATION}: {kind}", flush=True)
            if kind in ("load", "accept"):
                self.loads.set()
            if kind == "accept" and not self.serving:
                self.serving = True
                threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()
            if kind in ("drain", "handover") and self.behaviour != "cling":
                threading.Thread(target=self.leave, daemon=True).start()
        os._exit(1)

    def leave(self) -> None:
        """Close the door, finish, go."""
        if self.serving:
            self.http.shutdown()
        self.http.socket.close()
        self.say("listener_closed")
        while self.behaviour == "busy" and not Path("enough").exists():
            time.sleep(0.02)
        print(f"generation {GENERATION}: is drained", flush=True)
        self.say("drained", cancelled=0)
        os._exit(0)

    def load(self) -> None:
        """Once it may."""
        self.loads.wait()
        if self.behaviour.startswith("die-"):
            os._exit(int(self.behaviour[4:]))
        for step in range(10 if self.behaviour == "slow" else 0):
            self.say("loading", fraction=step / 10, text="slowly")
            time.sleep(0.1)
        if self.behaviour == "silent":
            time.sleep(600)
        self.say("ready")

    def run(self) -> None:
        """See the module."""
        self.say("hello", generation=GENERATION, pid=os.getpid())
        threading.Thread(target=self.listen, daemon=True).start()
        if self.behaviour != "never":
            self.say("prepared")
        threading.Thread(target=self.load, daemon=True).start()
        while self.behaviour != "silent" or not self.loads.is_set():
            self.say("beat", lag_ms=0)
            time.sleep(0.1)
        time.sleep(600)


def main() -> None:
    """See the module."""
    behaviours = sys.argv.pop(1).split(",")
    behaviour = behaviours[min(GENERATION, len(behaviours)) - 1]
    sys.argv.insert(1, behaviour)  # as the other test server has it
    if behaviour.startswith("exit-"):
        sys.exit(int(behaviour[5:]))
    Server(behaviour).run()


if __name__ == "__main__":
    main()
