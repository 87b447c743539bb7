"""Who gets in, over HTTP: keys, passwords, tokens, roles, networks, rates, other sites, the sign-in page."""

from __future__ import annotations

import time
from typing import Any

import httpx
import jwt
import openai
import pytest

from index_tts_ui.auth.sessions import COOKIE

from .conftest import BROWSER, PASSWORD, SPEECH, Locked, Opened, address, code


def test_without_a_key_only_the_probes_and_the_way_in_answer(locked: Locked) -> None:
    for path in ("/healthz", "/readyz", "/login"):
        assert locked.get(path).status_code == 200, path
    for path in ("/v1/models", "/v1/status", "/v1/audio/voices", "/docs", "/openapi.json", "/nothing", "/"):
        assert code(locked.get(path)) == (401, "no_key"), path
    refused = locked.speak()
    assert code(refused) == (401, "no_key")
    assert refused.headers["www-authenticate"].startswith("Bearer")
    assert refused.json()["error"]["type"] == "authentication_error"
    assert refused.headers["x-request-id"]


def test_a_key_opens_and_its_revocation_closes_at_the_next_request(locked: Locked) -> None:
    headers = locked.key("eva")
    assert locked.speak(headers).status_code == 200
    locked.store.revoke("eva")
    assert code(locked.speak(headers)) == (401, "bad_key")


def test_the_openai_sdk_takes_a_key_and_does_not_repeat_a_refusal(locked: Locked) -> None:
    key = locked.key("sdk")["Authorization"].removeprefix("Bearer ")
    with openai.OpenAI(base_url=f"{locked.server.url}/v1", api_key=key) as api:
        assert api.audio.speech.create(model="tts-1", input="One.", voice="alloy").content
    with openai.OpenAI(base_url=f"{locked.server.url}/v1", api_key="sk-wrong") as api:
        with pytest.raises(openai.AuthenticationError) as refused:
            api.audio.speech.create(model="tts-1", input="One.", voice="alloy")
        assert refused.value.code == "bad_key"


@pytest.mark.parametrize(
    "given",
    ["Bearer x", "Bearer tts_00000000_" + "A" * 43, "Basic x", "Basic eDp5", "Bearer a.b.c", "Bearer é"],
)
def test_wrong_credentials_are_401_and_not_a_stranger(locked: Locked, given: str) -> None:
    raw = {"Authorization": given.encode()}
    assert code(locked.get("/v1/models", raw)) == (401, "bad_key")  # type: ignore[arg-type]


def test_http_basic_takes_a_password_or_a_key(locked: Locked) -> None:
    locked.store.add("carl", password=PASSWORD)
    key = locked.key("basic")["Authorization"].removeprefix("Bearer ")
    url = f"{locked.server.url}/v1/models"
    for auth, status in ((("carl", PASSWORD), 200), (("x", key), 200), (("carl", "wrong horse"), 401)):
        assert httpx.get(url, auth=auth, timeout=30).status_code == status, auth
        assert httpx.get(url, auth=auth, timeout=30).status_code == status, auth  # remembered or not
    locked.store.revoke("carl")
    assert httpx.get(url, auth=("carl", PASSWORD), timeout=30).status_code == 401


def test_passwords_cannot_be_guessed_quickly(locked: Locked) -> None:
    who = address("10.9.9.9")
    answers = [
        httpx.get(f"{locked.server.url}/v1/models", auth=("carl", f"guess {n}"), headers=who, timeout=30)
        for n in range(11)
    ]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_a_token_of_the_issuer_is_taken_with_its_roles(locked: Locked) -> None:
    bearer = {"Authorization": f"Bearer {locked.token()}"}
    assert locked.speak(bearer).status_code == 200
    assert code(httpx.patch(f"{locked.server.url}/v1/audio/voices/x", json={}, headers=bearer)) == (
        403,
        "role_missing",
    )
    admin = {"Authorization": f"Bearer {locked.token(roles=['admin'])}"}
    assert code(httpx.patch(f"{locked.server.url}/v1/audio/voices/x", json={}, headers=admin))[0] == 404
    nothing = {"Authorization": f"Bearer {locked.token(scope='email profile')}"}
    assert code(locked.speak(nothing)) == (403, "role_missing")


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"aud": "other"},
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"sub": None},
        {"nbf": int(time.time()) + 3600},
    ],
)
def test_a_token_that_is_wrong_in_one_point_is_refused(locked: Locked, claims: dict[str, Any]) -> None:
    bearer = {"Authorization": f"Bearer {locked.token(**claims)}"}
    assert code(locked.get("/v1/models", bearer)) == (401, "bad_key")


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_a_token_signed_with_what_is_public_or_not_at_all_is_refused(locked: Locked) -> None:
    claims = jwt.decode(locked.token(), options={"verify_signature": False})
    forged = [
        jwt.encode(claims, None, algorithm="none"),  # type: ignore[arg-type]
        jwt.encode(claims, "guess", algorithm="HS256"),
        locked.token()[:-6] + "AAAAAA",
    ]
    for token in forged:
        bearer = {"Authorization": f"Bearer {token}"}
        assert code(locked.get("/v1/models", bearer)) == (401, "bad_key")


def test_a_role_is_needed_for_what_changes_voices(locked: Locked) -> None:
    speaker, manager = locked.key("speaker"), locked.key("manager", roles=("voices",))
    url = f"{locked.server.url}/v1/audio/voices"
    assert code(httpx.post(url, data={"name": "x"}, headers=speaker)) == (403, "role_missing")
    assert code(httpx.delete(f"{url}/x", headers=speaker)) == (403, "role_missing")
    assert code(httpx.delete(f"{url}/x", headers=manager))[0] == 404
    assert code(locked.speak(manager)) == (403, "role_missing")
    assert code(locked.get("/synthesize?text=hi", manager)) == (403, "role_missing")
    assert httpx.get(url, headers=speaker).status_code == 200


def test_only_allowed_networks_reach_anything(locked: Locked) -> None:
    key = locked.key("far")
    refused = locked.get("/healthz", {**key, **address("11.0.0.1")})
    assert code(refused) == (403, "network_refused")
    assert "11.0.0.1" in refused.json()["error"]["message"]
    assert locked.get("/v1/models", {**key, **address("10.0.0.1")}).status_code == 200
    assert code(locked.get("/v1/models", {**key, **address("10.0.0.1, 11.0.0.1")}))[0] == 403


def test_a_key_s_own_rate_is_kept_and_retry_after_is_true(locked: Locked) -> None:
    key = locked.key("quick", rate="3:3")
    answers = [locked.speak(key) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert code(answers[3])[1] == "rate_limited"
    assert answers[3].headers["x-should-retry"] == "true"
    assert locked.get("/v1/models", key).status_code == 200  # reading is not counted
    time.sleep(int(answers[3].headers["retry-after"]))
    assert locked.speak(key).status_code == 200


def test_a_key_s_quota_of_characters_is_kept(locked: Locked) -> None:
    key = locked.key("small", quota=30)
    assert len(SPEECH["input"]) == 12
    answers = [locked.speak(key) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["error"] | {"message": ""} == {
        "message": "",
        "type": "insufficient_quota",
        "param": None,
        "code": "quota_used",
    }
    assert answers[2].headers["x-should-retry"] == "false"


FORM = {"text": "hello"}
CROSS = {**BROWSER, "Sec-Fetch-Site": "cross-site"}


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        (CROSS, False),
        ({**BROWSER, "Sec-Fetch-Site": "same-site"}, False),
        ({**BROWSER, "Origin": "https://evil.example"}, False),
        ({**BROWSER, "Origin": "null"}, False),
        ({**BROWSER, "Referer": "https://evil.example/page"}, False),
        ({**BROWSER, "Sec-Fetch-Site": "same-origin", "Origin": "https://any.example"}, True),
        ({**BROWSER, "Origin": "OWN"}, True),
        ({**BROWSER, "Origin": "https://tts.example", "X-Forwarded-Host": "tts.example"}, True),
        ({}, True),
    ],
)
def test_what_another_site_makes_a_browser_send_is_refused(
    locked: Locked, headers: dict[str, str], passes: bool
) -> None:
    given = {name: value.replace("OWN", locked.server.url) for name, value in headers.items()}
    bearer = {**given, "Authorization": f"Bearer {locked.token()}"}
    posted = httpx.post(f"{locked.server.url}/tts/generate", data=FORM, headers=bearer, timeout=30)
    got = locked.get("/synthesize?text=hello", bearer)
    for answer in (posted, got):
        if passes:
            assert answer.status_code == 200, answer.text
        else:
            assert code(answer) == (403, "cross_site")


def test_a_browser_must_use_a_name_that_is_ours(opened: Opened) -> None:
    """DNS rebinding: a stranger's name that points at this machine."""
    for host in ("evil.example", "evil.example:7860", "127.0.0.1.evil.example"):
        assert code(opened.get("/v1/models", headers={**BROWSER, "Host": host})) == (403, "unknown_host"), (
            host
        )
    for host in ("localhost:1", "127.0.0.1", "[::1]:80", "tts.example", "a.localhost"):
        assert opened.get("/v1/models", headers={**BROWSER, "Host": host}).status_code == 200, host
    assert opened.get("/v1/models", headers={"Host": "tts:7860"}).status_code == 200  # no browser


def test_without_keys_nobody_is_asked_and_whatever_a_client_must_send_is_taken(opened: Opened) -> None:
    for headers in ({}, {"Authorization": "Bearer sk-none"}, {"Authorization": "Basic eDp5"}):
        assert opened.get("/v1/models", headers=headers).status_code == 200
    unknown = {"Authorization": "Bearer tts_00000000_" + "A" * 43}  # made by us, for another server
    assert code(opened.get("/v1/models", headers=unknown)) == (401, "bad_key")
    assert opened.get("/", headers=BROWSER).status_code == 404  # --no-page
    assert opened.get("/docs", headers=BROWSER).status_code == 200


def test_a_client_cannot_choose_its_own_address(opened: Opened) -> None:
    """allow_nets leaves 127.0.0.1 alone; an address that is believed would be refused."""
    assert opened.get("/v1/models", headers=address("11.0.0.1")).status_code == 200


def test_signing_in_opens_the_page_and_signing_out_closes_it(locked: Locked) -> None:
    locked.store.add("paul", password=PASSWORD)
    html = {**BROWSER, "Accept": "text/html", "Accept-Language": "zh-CN"}
    with httpx.Client(base_url=locked.server.url, headers=html, timeout=30) as client:
        visit = client.get("/docs")
        assert (visit.status_code, visit.headers["location"]) == (303, "/login")
        page = client.get("/login")
        assert "登录" in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        wrong = client.post("/login", data={"name": "paul", "secret": "<b>wrong"})
        assert wrong.status_code == 401
        assert "<b>" not in wrong.text
        assert COOKIE not in client.cookies
        done = client.post("/login", data={"name": "paul", "secret": PASSWORD})
        assert (done.status_code, done.headers["location"]) == (303, "/")
        cookie = done.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert client.get("/docs").status_code == 200
        assert "paul" in client.get("/login").text
        cross = client.post("/v1/audio/speech", json=SPEECH, headers=CROSS)
        assert code(cross) == (403, "cross_site")  # the cookie is of no use to another site
        assert client.post("/v1/audio/speech", json=SPEECH).status_code == 200
        assert client.post("/logout").status_code == 303
        assert client.get("/docs").status_code == 303


def test_a_sign_in_form_that_is_huge_or_rubbish_is_refused(locked: Locked) -> None:
    url = f"{locked.server.url}/login"
    assert httpx.post(url, data={"secret": "x" * 100_000}).status_code == 413
    chunks = (b"secret=" + b"x" * 1000 for _ in range(20_000))
    urlencoded = {"Content-Type": "application/x-www-form-urlencoded"}
    assert httpx.post(url, content=chunks, headers=urlencoded, timeout=30).status_code in (400, 413)
    multipart = httpx.post(url, files={"secret": ("a", b"x" * 5000)})
    assert multipart.status_code in (400, 413)
    assert httpx.put(url).status_code == 405
