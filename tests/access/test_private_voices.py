"""A voice is its uploader's own, unless it is shared."""

from __future__ import annotations

import httpx
import pytest

from .conftest import SPEECH, Locked, code, upload

BOTH = ("speak", "voices")


@pytest.fixture(scope="module")
def ann(locked: Locked) -> dict[str, str]:
    return locked.key("ann", roles=BOTH)


@pytest.fixture(scope="module")
def ben(locked: Locked) -> dict[str, str]:
    return locked.key("ben", roles=BOTH)


@pytest.fixture(scope="module")
def chief(locked: Locked) -> dict[str, str]:
    return locked.key("chief", roles=("admin",))


def names(locked: Locked, headers: dict[str, str]) -> set[str]:
    return {voice["id"] for voice in locked.get("/v1/audio/voices", headers).json()["voices"]}


def spoken(locked: Locked, headers: dict[str, str], **fields: object) -> httpx.Response:
    body = {**SPEECH, **fields}
    return httpx.post(f"{locked.server.url}/v1/audio/speech", json=body, headers=headers, timeout=30)


def test_a_private_voice_is_there_for_its_owner_and_admins_alone(
    locked: Locked, ann: dict[str, str], ben: dict[str, str], chief: dict[str, str]
) -> None:
    voice = upload(locked.server, "Ann's own", ann)
    assert voice["shared"] is False
    url = f"{locked.server.url}/v1/audio/voices/{voice['id']}"
    for headers in (ann, chief):
        assert voice["id"] in names(locked, headers)
        assert spoken(locked, headers, voice=voice["id"]).status_code == 200
        assert httpx.get(f"{url}/clip", headers=headers).status_code == 200
    assert voice["id"] not in names(locked, ben)
    emotional = {"emotion": {"clip": voice["id"]}}
    refusals = [
        httpx.get(url, headers=ben),
        httpx.get(f"{url}/clip", headers=ben),
        httpx.patch(url, json={"name": "mine"}, headers=ben),
        httpx.delete(url, headers=ben),
        spoken(locked, ben, voice=voice["id"]),
        spoken(locked, ben, voice="Ann's own"),
        spoken(locked, ben, voice=f" {voice['id']} "),
        spoken(locked, ben, voice=f"alloy+{voice['id']}:0.5"),
        spoken(locked, ben, **emotional),
        httpx.post(
            f"{locked.server.url}/v1/audio/preview", json={"text": "x", "voice": voice["id"]}, headers=ben
        ),
    ]
    assert [code(answer) for answer in refusals] == [(404, "voice_not_found")] * len(refusals)
    assert voice["id"] in names(locked, ann)


def test_a_shared_voice_is_everybody_s_to_use_and_its_owner_s_to_change(
    locked: Locked, ann: dict[str, str], ben: dict[str, str], chief: dict[str, str]
) -> None:
    voice = upload(locked.server, "For all", ann)
    url = f"{locked.server.url}/v1/audio/voices/{voice['id']}"
    assert httpx.patch(url, json={"shared": True}, headers=ann).json()["shared"] is True
    assert spoken(locked, ben, voice=voice["id"]).status_code == 200
    assert code(httpx.patch(url, json={"name": "b"}, headers=ben)) == (403, "role_missing")
    assert code(httpx.patch(url, json={"shared": False}, headers=ben)) == (403, "role_missing")
    assert code(httpx.delete(url, headers=ben)) == (403, "role_missing")
    assert httpx.patch(url, json={"gender": "female"}, headers=chief).status_code == 200
    assert httpx.delete(url, headers=ann).status_code == 200


def test_only_an_admin_sets_the_default_and_never_a_private_voice(
    locked: Locked, ann: dict[str, str], chief: dict[str, str]
) -> None:
    voice = upload(locked.server, "Annie", ann)
    url = f"{locked.server.url}/v1/audio/voices/{voice['id']}"
    assert code(httpx.patch(url, json={"default": True}, headers=ann)) == (403, "role_missing")
    assert code(httpx.patch(url, json={"default": True}, headers=chief)) == (400, "shared_only")
    changes = {"shared": True, "default": True}
    assert httpx.patch(url, json=changes, headers=chief).json()["default"] is True
    httpx.patch(url, json={"shared": False}, headers=ann)
    assert voice["id"] not in names(locked, locked.key("other"))
    assert locked.get(f"/v1/audio/voices/{voice['id']}", ann).json()["default"] is False


def test_a_private_voice_takes_no_stock_name_from_others(
    locked: Locked, ann: dict[str, str], ben: dict[str, str]
) -> None:
    upload(locked.server, "onyx", ann)
    assert spoken(locked, ben, voice="onyx").status_code == 200


def test_two_people_use_one_name_for_voices_of_their_own(
    locked: Locked, ann: dict[str, str], ben: dict[str, str]
) -> None:
    anns, bens = (upload(locked.server, "My voice", who) for who in (ann, ben))
    assert anns["id"] != bens["id"] and anns["owned"] and anns["editable"]
    url = f"{locked.server.url}/v1/audio/voices"
    for who, own in ((ann, anns), (ben, bens)):
        assert locked.get("/v1/audio/voices/My%20voice", who).json()["id"] == own["id"]
        assert spoken(locked, who, voice="My voice").status_code == 200
    # nobody cuts, takes along or restores what is not theirs
    assert code(httpx.get(f"{url}/export", params={"voice": anns["id"]}, headers=ben)) == (
        404,
        "voice_not_found",
    )
    stolen = httpx.post(
        f"{locked.server.url}/v1/audio/clips", data={"clip": anns["id"]}, headers=ben, timeout=30
    )
    assert code(stolen) == (404, "voice_not_found")
    assert httpx.delete(f"{url}/My%20voice", headers=ann).json()["id"] == anns["id"]
    assert locked.get("/v1/audio/voices/bin", ben).json()["voices"] == []
    assert code(httpx.post(f"{url}/{anns['id']}/restore", headers=ben)) == (404, "voice_not_found")
    assert httpx.post(f"{url}/{anns['id']}/restore", headers=ann).json()["name"] == "My voice"
    assert code(httpx.patch(f"{url}/{anns['id']}", json={"shared": True}, headers=ben)) == (
        404,
        "voice_not_found",
    )
    assert locked.get("/v1/audio/voices", ann).json()["private"] is True
