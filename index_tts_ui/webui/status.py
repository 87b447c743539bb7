"""The Status tab: engine, figures, requests; for admins also errors, logs and the model. Its scripts ask the API."""

from __future__ import annotations

import gradio as gr

from .early import asset

SCRIPTS = (
    "status_asking.js",
    "status_plots.js",
    "status_engines.js",
    "status_requests.js",
    "status_admin.js",
)


def status_tab() -> None:
    """The tab's one component, in the Blocks that is open."""
    gr.HTML(
        html_template=asset("status.html"),
        js_on_load=asset(*SCRIPTS, "status.js"),
        elem_id="status",
        apply_default_css=False,
    )
