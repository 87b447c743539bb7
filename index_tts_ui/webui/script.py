"""The Script tab: many lines, several speakers, spoken as a job. Its scripts ask the API."""

from __future__ import annotations

import gradio as gr

from ..service import SpeechService
from .early import asset

SCRIPTS = (
    "stream.js",
    *("waveform.js", "trim.js", "clip.js", "dial.js", "rose.js", "emotion_form.js", "script_feeling.js"),
    "script_rows.js",
    "script_cast.js",
    "script_line.js",
    "script_sheet.js",
    "script_play.js",
    "script_jobs.js",
    *("script_view.js", "script_work.js", "script.js"),
)


def script_tab(service: SpeechService) -> None:
    """The tab's one component, in the Blocks that is open."""
    feeling = asset("script_feeling.html").replace("EMOTION", asset("emotion.html"))
    gr.HTML(
        html_template=asset("script.html") + (feeling if "emotion" in service.spec.features else ""),
        js_on_load=asset(*SCRIPTS),
        elem_id="script",
        apply_default_css=False,
    )
