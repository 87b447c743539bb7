"""/docs from files of our own package: no request leaves the host."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

ASSETS = "docs/assets"  # relative, so that a reverse proxy's prefix does not matter

DESCRIPTION = """
Speech from text. Every refusal is `{"error": {"message", "type", "param", "code"}}`: 400 a wrong value,
401 no key or a wrong one, 403 not allowed with it, 404 an unknown voice or model, 409 cancelled or an id in use, 413 too large, 429 the queue is full,
503 not ready, 504 out of time. 429 and 503 carry `Retry-After`; `x-should-retry` tells the SDK.
Every answer carries `X-Request-Id`; one that you send (A-Z a-z 0-9 . _ -, up to 128) is taken over.
"""


def install(app: FastAPI) -> None:
    """Swagger UI at /docs; its assets come with the package fastapi-offline. There is no /redoc."""
    app.description = DESCRIPTION
    app.mount(f"/{ASSETS}", StaticFiles(packages=[("fastapi_offline", "static")]), name="docs-assets")

    async def swagger_ui() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="openapi.json",
            title=f"{app.title} API",
            swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{ASSETS}/favicon.png",
            # the badge would send the description to a validator on the internet
            swagger_ui_parameters={"validatorUrl": None, "tryItOutEnabled": True},
        )

    app.add_api_route("/docs", swagger_ui, include_in_schema=False)
