"""The Voices tab: all voices, and how one is added to the library. Its script asks the API."""

from __future__ import annotations

import gradio as gr

from .early import asset


def voices_tab() -> None:
    """The tab's one component, in the Blocks that is open."""
    gr.HTML(
        html_template=asset("voices.html"),
        js_on_load=asset("waveform.js", "trim.js", "clip.js", "mixer.js", "shelf.js", "voices.js"),
        elem_id="voices",
        apply_default_css=False,
    )
