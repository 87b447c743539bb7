"""Only admins see and do what concerns others; everybody else sees their own."""

from __future__ import annotations

import httpx
import pytest

from .conftest import SPEECH, Locked, code

LONG = {**SPEECH, "input": "Bcdfghjk bcdfghjk. " * 210, "speed": 0.25}  # a quarter of an hour


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "requests"),
        ("DELETE", "requests/x"),
        ("GET", "errors"),
        ("GET", "logs"),
        ("GET", "logs/events"),
        ("POST", "model/unload"),
        ("POST", "model/reload"),
    ],
)
def test_who_is_no_admin_is_refused(locked: Locked, method: str, path: str) -> None:
    key = locked.key(f"user-{method}-{path.replace('/', '-')}", roles=("speak", "voices"))
    answer = httpx.request(method, f"{locked.server.url}/v1/admin/{path}", headers=key, timeout=20)
    assert code(answer) == (403, "role_missing")
    stranger = httpx.request(method, f"{locked.server.url}/v1/admin/{path}", timeout=20)
    assert code(stranger) == (401, "no_key")


def test_figures_are_seen_by_whoever_sees_metrics(locked: Locked) -> None:
    key = locked.key("watcher")
    for path in ("/metrics", "/v1/status/series"):
        assert code(locked.get(path)) == (401, "no_key")
        assert locked.get(path, key).status_code == 200


def test_a_key_says_who_it_is(locked: Locked) -> None:
    found = locked.get("/v1/me", locked.key("meera", roles=("speak",))).json()
    assert found == {"name": "meera", "roles": ["speak"], "signed_in": False}


def test_an_admin_cancels_a_request_that_others_do_not_even_see(locked: Locked) -> None:
    anna, ben = locked.key("anna-c"), locked.key("ben-c")
    admin = locked.key("root-c", roles=("admin",))
    url = locked.server.url

    # of which nothing is read after the first block: the request waits for its reader
    with httpx.stream("POST", f"{url}/v1/audio/speech", json=LONG, headers=anna, timeout=60) as answer:
        blocks = answer.iter_raw()  # as long as somebody holds it, the connection stays
        next(blocks)
        assert len(locked.get("/v1/requests", anna).json()["requests"]) == 1
        assert locked.get("/v1/requests", ben).json() == {"requests": []}
        (one,) = locked.get("/v1/admin/requests", admin).json()["requests"]
        assert one["caller"] == "anna-c" and one["spoken"] > 0
        stopped = httpx.delete(f"{url}/v1/admin/requests/{one['id']}", headers=admin, timeout=20)
        assert stopped.status_code == 200
        assert locked.get("/v1/requests", anna).json() == {"requests": []}
