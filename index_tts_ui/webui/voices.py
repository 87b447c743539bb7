"""The Voices tab: the library of an engine that can speak with any voice. Its script asks the API."""

from __future__ import annotations

import gradio as gr

from .early import asset


def voices_tab() -> None:
    """The tab's one component, in the Blocks that is open."""
    gr.HTML(
        html_template=asset("voices.html"),
        js_on_load=asset("clip.js", "shelf.js", "voices.js"),
        elem_id="voices",
        apply_default_css=False,
    )
