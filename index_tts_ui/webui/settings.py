"""The settings beside the text: voice, speed, emotion, parameters; of each, what the engine has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from ..service import SpeechService
from ..speech import VoiceInfo
from .early import asset

# fixed words of a block, kept in the page's language
LABELS = "const l = () => window.tts.label(element); window.tts.addEventListener('lang', l); l();"


@dataclass(frozen=True)
class Settings:
    """The components; ``second`` and ``share`` (in percent) are for engines that blend voices."""

    voice: gr.Dropdown
    second: gr.Dropdown
    share: gr.Slider
    speed: gr.Slider
    tuning: gr.HTML  # a place for what ``tts.tuning.said`` gives when Speak is pressed

    @property
    def kept(self) -> list[gr.Dropdown | gr.Slider]:
        """What ``tts.settings`` keeps in the browser, in its order."""
        return [self.voice, self.second, self.share, self.speed]


def settings_card(page: gr.Blocks, service: SpeechService, t: gr.I18n) -> Settings:
    """The card's components and events, in the column that is open."""
    features = service.spec.features
    box = _voicebox() if "clone" in features else None
    settings = _controls(
        [voice for voice in service.voices() if voice.shared],
        service.default_voice(),
        "blend" in features,
        "emotion" in features,
        t,
    )
    gr.HTML(
        html_template='<p data-t="rights"></p>', js_on_load=LABELS, elem_id="rights", apply_default_css=False
    )
    _remember(page, settings)
    if box is not None:
        js = "() => window.tts.library.choices()"
        box.voices(None, None, settings.voice, js=js, queue=False, api_visibility="private")
    return settings


def _voicebox() -> gr.HTML:
    return gr.HTML(
        html_template=asset("voicebox.html"),
        js_on_load=asset("clip.js", "voicebox.js"),
        elem_id="voicebox",
        apply_default_css=False,
    )


def _controls(
    voices: Sequence[VoiceInfo], default: str, blends: bool, emotional: bool, t: gr.I18n
) -> Settings:
    choices = [
        (t(f"voice:{voice.id}") if voice.kind == "builtin" else voice.name, voice.id)
        for voice in sorted(voices, key=lambda voice: voice.language[:2] != "zh")
    ]
    return Settings(
        voice=gr.Dropdown(
            choices, value=default or None, label=t("voice"), elem_id="voice", interactive=True
        ),
        second=gr.Dropdown(
            [(t("second_none"), ""), *choices],
            value="",
            label=t("second"),
            elem_id="second",
            interactive=True,
            visible=blends,
        ),
        share=gr.Slider(
            *(5, 95, 50),
            step=5,
            label=t("share"),
            elem_id="share",
            buttons=[],
            interactive=True,
            visible=blends,
        ),
        speed=gr.Slider(
            0.5, 2.0, 1.0, step=0.05, label=t("speed"), elem_id="speed", buttons=[], interactive=True
        ),
        tuning=gr.HTML(
            {},
            html_template=asset("emotion.html" if emotional else "emotion_none.html", "parameters.html"),
            js_on_load=asset("clip.js", "dial.js", "emotion.js", "parameters.js", "tuning.js"),
            elem_id="tuning",
            apply_default_css=False,
        ),
    )


def _remember(page: gr.Blocks, settings: Settings) -> None:
    """The browser keeps the settings; nothing of this reaches the server."""
    page.load(None, None, settings.kept, js="() => window.tts.settings.saved()", api_visibility="private")
    for control in settings.kept:
        control.change(
            None,
            settings.kept,
            None,
            js="(...values) => window.tts.settings.keep(values)",
            queue=False,
            api_visibility="private",
        )
