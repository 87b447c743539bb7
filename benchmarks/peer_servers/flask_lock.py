"""The articles' "before": Flask, and a lock around the model. Under waitress, as Flask's guide advises."""

from __future__ import annotations

import threading

import waitress
from flask import Flask, Response, request

from .speaker import Settings, Speaker

THREADS = 64  # more than there are clients: none waits for a thread


def main() -> None:
    """Serve until killed."""
    settings = Settings.given()
    speaker, lock, app = Speaker(settings), threading.Lock(), Flask("flask_lock")

    @app.post("/speak")
    def speak() -> Response:
        with lock:
            (sound,) = speaker.speak([request.get_json()["text"]])
        return Response(sound, mimetype="application/octet-stream")

    waitress.serve(app, host="127.0.0.1", port=settings.port, threads=THREADS, _quiet=True)


if __name__ == "__main__":
    main()
