"""The sign-in page: a key, or a name and its password, for a session cookie. Works without scripts."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib.resources import files

from fastapi import Request
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from ..auth.guard import Guard
from ..auth.sessions import COOKIE, LIFE
from ..errors import BadConfig, Invalid, TTSError, Unauthorized
from .errors import edge_of, error_response, from_http

PATH, OUT = "/login", "/logout"
MAX_FORM = 4096  # bytes
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}
WORDS = {
    "title": ("Sign in", "登录"),
    "name": ("Name (with a password only)", "用户名（仅使用密码时填写）"),
    "secret": ("API key or password", "API 密钥或密码"),
    "enter": ("Sign in", "登录"),
    "leave": ("Sign out", "退出登录"),
    "as": ("You are signed in as {name}.", "您已登录为 {name}。"),
    "open": ("Open the page", "打开页面"),
    "help": (
        "The server's operator makes keys: tts-launch keys add NAME",
        "密钥由管理员创建：tts-launch keys add 名称",
    ),
}


class Login:
    """GET /login, POST /login, POST /logout."""

    def __init__(self, guard: Guard, prefix: str) -> None:
        self._guard = guard
        self._home = prefix.rstrip("/") + "/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except HTTPException as error:
            response = error_response(request, from_http(request, error), {"connection": "close"})
        except TTSError as error:
            if not isinstance(error, Unauthorized) and error.kind != "overloaded":
                response = error_response(request, error, {"connection": "close"})
            else:
                response = self._page(request, error)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        out = request.url.path.rstrip("/").endswith(OUT)
        if request.method == "POST":
            return self._leave() if out else await self._enter(request)
        if request.method not in ("GET", "HEAD"):
            raise Invalid("method_not_allowed", method=request.method, allowed="GET, POST")
        return self._page(request)

    async def _enter(self, request: Request) -> Response:
        form = await _form(request)
        name, secret = str(form.get("name") or "").strip(), str(form.get("secret") or "").strip()
        client = request.client.host if request.client else ""
        try:
            key = await self._guard.sign_in(name, secret, client)
        except BadConfig as error:
            raise Unauthorized("bad_key") from error
        response = RedirectResponse(self._home, 303, {"cache-control": "no-store"})
        response.set_cookie(
            COOKIE,
            self._guard.sessions.new(key),
            max_age=LIFE,
            path=self._home,
            secure=request.scope["scheme"] == "https",
            httponly=True,
            samesite="lax",
        )
        return response

    def _leave(self) -> Response:
        response = RedirectResponse(self._home + PATH[1:], 303, {"cache-control": "no-store"})
        response.delete_cookie(COOKIE, path=self._home)
        return response

    def _page(self, request: Request, error: TTSError | None = None) -> Response:
        chinese = request.headers.get("accept-language", "").lower().startswith("zh")
        words = {key: pair[chinese] for key, pair in WORDS.items()}
        key = self._guard.session(request.headers)
        if key is not None and error is None:
            body = _signed_in(words, key.name, self._home)
        else:
            said = None if error is None else error.message("zh" if chinese else "en")
            body = _form_html(words, self._home, said)
        text = _template().format(lang="zh-CN" if chinese else "en", title=words["title"], body=body)
        headers = dict(HEADERS)
        if error is not None and error.retry_after is not None:
            headers["retry-after"] = str(error.retry_after)
        return HTMLResponse(text, 200 if error is None else edge_of(error).status, headers)


@cache
def _template() -> str:
    return (files(__package__) / "login.html").read_text("utf-8")


async def _form(request: Request) -> FormData:
    if int(request.headers.get("content-length", "0")) > MAX_FORM:
        raise HTTPException(413)
    return await request.form(max_files=0, max_fields=8, max_part_size=MAX_FORM)


def _form_html(words: dict[str, str], home: str, error: str | None) -> str:
    said = f'<p class="error" role="alert">{escape(error)}</p>' if error else ""
    return (
        f'{said}<form method="post" action="{escape(home)}login">'
        f'<label for="name">{words["name"]}</label>'
        '<input id="name" name="name" autocomplete="username" maxlength="64">'
        f'<label for="secret">{words["secret"]}</label>'
        '<input id="secret" name="secret" type="password" autocomplete="current-password" maxlength="256" required>'
        f'<button>{words["enter"]}</button></form><p class="note">{words["help"]}</p>'
    )


def _signed_in(words: dict[str, str], name: str, home: str) -> str:
    return (
        f'<p>{escape(words["as"].format(name=name))}</p><p><a href="{escape(home)}">{words["open"]}</a></p>'
        f'<form method="post" action="{escape(home)}logout"><button>{words["leave"]}</button></form>'
    )
