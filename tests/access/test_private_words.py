"""With keys, an entry of the dictionary is its owner's own, unless it is shared."""

from __future__ import annotations

import httpx

from .conftest import Locked, code

PATH = "/v1/audio/dictionary"


def tokens(locked: Locked, headers: dict[str, str]) -> int:
    body = {"text": "Zorkmid."}
    answer = httpx.post(f"{locked.server.url}/v1/audio/preview", json=body, headers=headers, timeout=30)
    count: int = answer.json()["tokens"]
    return count


def test_an_entry_is_its_owners_until_it_is_shared(locked: Locked) -> None:
    ann, ben = (locked.key(f"words-{name}", roles=("speak",)) for name in ("ann", "ben"))
    chief = locked.key("words-chief", roles=("admin",))
    url = f"{locked.server.url}{PATH}"
    plain = tokens(locked, ben)
    made = httpx.post(url, json={"word": "Zorkmid", "said": "Z O R K M I D"}, headers=ann).json()
    assert made["shared"] is False and httpx.get(url, headers=ann).json()["private"] is True
    assert tokens(locked, ann) > plain == tokens(locked, ben)
    assert [one["id"] for one in httpx.get(url, headers=chief).json()["data"]] == [made["id"]]
    assert httpx.get(url, headers=ben).json()["total"] == 0
    mine = f"{url}/{made['id']}"
    assert code(httpx.patch(mine, json={"said": "x"}, headers=ben)) == (404, "word_not_found")
    httpx.patch(mine, json={"shared": True}, headers=ann)
    assert tokens(locked, ben) > plain
    [seen] = httpx.get(url, headers=ben).json()["data"]
    assert (seen["mine"], seen["shared"]) == (False, True)
    assert code(httpx.delete(mine, headers=ben)) == (403, "role_missing")
    assert httpx.get(f"{url}/export", headers=ben).json() == {"entries": []}
    own = httpx.post(url, json={"word": "zorkmid", "said": "z"}, headers=ben)
    assert own.status_code == 201 and tokens(locked, ben) < plain
    assert httpx.delete(mine, headers=chief).status_code == 200
    assert tokens(locked, ann) == plain
    assert httpx.get(url).status_code == 401
