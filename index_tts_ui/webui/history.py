"""The History tab: what was spoken, found again and used again. Its script asks the API."""

from __future__ import annotations

import gradio as gr

from .early import asset


def history_tab() -> None:
    """The tab's one component, in the Blocks that is open."""
    gr.HTML(
        html_template=asset("history.html"),
        js_on_load=asset("undo.js", "history_entry.js", "history.js"),
        elem_id="history",
        apply_default_css=False,
    )
