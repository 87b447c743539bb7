"""The page: Gradio Blocks over the same SpeechService as the API."""

from __future__ import annotations

from importlib.resources import files

from fastapi import FastAPI

from ..config import Config
from ..emotions import PRESETS
from ..parameters import PARAMETERS
from ..service import SpeechService
from ..speech import EMOTIONS
from . import i18n
from .early import EarlyHead, early_head
from .gradio_import import gradio as gr  # before the modules below, which import it by themselves
from .page import build
from .presence import Presence
from .theme import Look

PROGRESS_SECONDS = 1.0


def mount(app: FastAPI, service: SpeechService, config: Config) -> EarlyHead:
    """Mount the page at "/" (so the API's routes must be there already); serve what this returns."""
    tables = i18n.tables([voice for voice in service.voices() if voice.kind == "builtin"])
    texts = gr.I18n(**tables)
    page = build(service, texts)
    # Gradio looks into its queue a thousand times a second, and for news of its progress bars, which this page
    # has none of, a hundred times, also when nobody is there. An idle service should be idle, and a busy one has
    # the processor for speech.
    presence = Presence(app)
    presence.paces(page._queue)
    page._queue.progress_update_sleep_when_free = PROGRESS_SECONDS
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
    return EarlyHead(presence, lambda: early_head(_page_data(tables, service, config)))


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
        "readings": {"kinds": service.spec.readings, "languages": service.spec.languages},
        "emotions": EMOTIONS,
        "presets": {name: preset.vector for name, preset in PRESETS.items()},
        "strings": tables,
        "maxText": config.max_text,
        "backup": len(service.failover.backends) > 1,
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
