"""The Dictionary tab: how words are read, for good. Its script asks the API."""

from __future__ import annotations

import gradio as gr

from .early import asset


def dictionary_tab() -> None:
    """The tab's one component, in the Blocks that is open."""
    gr.HTML(
        html_template=asset("dictionary.html"),
        js_on_load=asset("undo.js", "dictionary_row.js", "dictionary_form.js", "dictionary.js"),
        elem_id="dictionary",
        apply_default_css=False,
    )
