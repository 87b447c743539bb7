"""The settings beside the text: voice, speed, emotion, parameters; of each, what the engine has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from ..service import SpeechService
from ..speech import VoiceInfo
from .early import asset

ELSEWHERE = "remote"  # the registry's name for servers elsewhere
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
    picker: gr.HTML  # all voices, to be heard before one is chosen

    @property
    def kept(self) -> list[gr.Dropdown | gr.Slider]:
        """What ``tts.settings`` keeps in the browser, in its order."""
        return [self.voice, self.second, self.share, self.speed]


def settings_card(page: gr.Blocks, service: SpeechService, t: gr.I18n) -> Settings:
    """The card's components and events, in the column that is open."""
    features = service.spec.features
    presets = _presets()
    box = _voicebox() if "clone" in features else None
    settings = _controls(
        [voice for voice in service.voices() if voice.shared],
        service.default_voice(),
        "blend" in features,
        "" if "emotion" in features else missing(service),
        t,
    )
    settings.speed.visible = "speed" in features
    gr.HTML(
        html_template='<p data-t="rights"></p>', js_on_load=LABELS, elem_id="rights", apply_default_css=False
    )
    _remember(page, settings)
    js = "() => window.tts.settings.saved()"
    presets.taken(None, None, settings.kept, js=js, queue=False, api_visibility="private")
    shown = [settings.voice, settings.second] if "blend" in features else [settings.voice]
    for lister in (settings.picker, box):
        if lister is not None:
            js = f"() => [tts.library.choices(), tts.library.seconds()].slice(0, {len(shown)})"
            lister.voices(None, None, shown, js=js, queue=False, api_visibility="private")
    return settings


def _presets() -> gr.HTML:
    return gr.HTML(
        html_template=asset("presets.html"),
        js_on_load=asset("apply.js", "presets.js"),
        elem_id="presets",
        apply_default_css=False,
    )


def _picker() -> gr.HTML:
    return gr.HTML(
        html_template=asset("picker.html"),
        js_on_load=asset("clip.js", "voicelist.js", "picker.js"),
        elem_id="picker",
        apply_default_css=False,
    )


def _voicebox() -> gr.HTML:
    return gr.HTML(
        html_template=asset("voicebox.html"),
        js_on_load=asset("waveform.js", "trim.js", "clip.js", "voicebox.js"),
        elem_id="voicebox",
        apply_default_css=False,
    )


def missing(service: SpeechService) -> str:
    """The key of the sentence that says where emotions, or voices of one's own, come from: the engine has none."""
    what = "emotion" if "clone" in service.spec.features else "cloning"
    return f"{what}_missing_there" if service.engine == ELSEWHERE else f"{what}_missing"


def _controls(voices: Sequence[VoiceInfo], default: str, blends: bool, missing: str, t: gr.I18n) -> Settings:
    """``missing`` stands in place of the emotions; "" where there are some."""
    choices = [
        (t(f"voice:{voice.id}") if voice.kind == "builtin" else voice.name, voice.id)
        for voice in sorted(voices, key=lambda voice: voice.language[:2] != "zh")
    ]
    voice = gr.Dropdown(choices, value=default or None, label=t("voice"), elem_id="voice", interactive=True)
    return Settings(
        voice=voice,
        picker=_picker(),
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
            html_template=(_hint(missing) if missing else asset("emotion.html")) + asset("parameters.html"),
            js_on_load=asset(
                *("waveform.js", "trim.js", "clip.js", "dial.js", "rose.js"),
                *("emotion_form.js", "emotion.js", "parameters.js", "tuning.js"),
            ),
            elem_id="tuning",
            apply_default_css=False,
        ),
    )


def _hint(word: str) -> str:
    return f'<p class="hint section more-voices" data-t="{word}"></p>\n'


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
