"""The page: Gradio Blocks over the same SpeechService as the API."""

from __future__ import annotations

import os
from importlib.resources import files

# Read when gradio is imported: no look-ups outside, no summary of usage after each event.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", "1000000000")
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "1")

import gradio as gr
from fastapi import FastAPI

from ..config import Config
from ..emotions import PRESETS
from ..parameters import PARAMETERS
from ..service import SpeechService
from ..speech import EMOTIONS
from . import i18n
from .early import EarlyHead, early_head
from .page import build
from .theme import Look

QUEUE_SECONDS = 0.02


def mount(app: FastAPI, service: SpeechService, config: Config) -> EarlyHead:
    """Mount the page at "/" (so the API's routes must be there already); serve what this returns."""
    tables = i18n.tables([voice for voice in service.voices() if voice.kind == "builtin"])
    texts = gr.I18n(**tables)
    page = build(service, texts)
    # Gradio looks into its queue a thousand times a second, also when nobody is there: a fiftieth
    # of that is quick enough for a click, and an idle service should be idle.
    page._queue.sleep_when_free = QUEUE_SECONDS
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        root_path=config.root_path or None,
        favicon_path=str(files(__package__) / "favicon.svg"),
        i18n=texts,
        theme=Look(),
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        enable_monitoring=False,
        max_file_size=config.max_body,
    )
    return EarlyHead(app, lambda: early_head(_page_data(tables, service, config)))


def _page_data(
    tables: dict[str, dict[str, str]], service: SpeechService, config: Config
) -> dict[str, object]:
    """What the page's scripts need to know from the start. What the engine can, its checkpoint decides."""
    cloning = "clone" in service.spec.features
    return {
        "engine": service.engine,
        "can": {feature: service.can(feature) for feature in service.spec.features},
        "parameters": {name: i18n.parameter(PARAMETERS[name]) for name in service.spec.parameters},
        "languages": service.spec.languages if cloning else (),
        "emotions": EMOTIONS,
        "presets": {name: preset.vector for name, preset in PRESETS.items()},
        "strings": tables,
        "maxText": config.max_text,
        "examples": i18n.EXAMPLES,
        "voices": _first_voices(service, config),
    }


def _first_voices(service: SpeechService, config: Config) -> dict[str, str]:
    """The voice a newcomer starts with, by the page's language; a configured default goes first."""
    chosen = service.default_voice()
    if config.default_voice:
        return {"zh-CN": chosen, "en": chosen}
    firsts = {voice.language[:2]: voice.id for voice in reversed(service.voices()) if voice.shared}
    return {"zh-CN": firsts.get("zh", chosen), "en": firsts.get("en", chosen)}
