"""VoiceStore: which voices there are, and what a request's ``voice`` means."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from .errors import BadConfig, Invalid, NotFound
from .library import Shelf, VoiceLibrary
from .speech import VoiceInfo, VoiceRef

_PART = re.compile(r"([^:+]+)(?::([0-9.]+))?")
MAX_BLEND = 4
CLIP = "clip:"  # and a sha256: a clip that belongs to no voice
SAMPLE = "sample"  # the tag of voices that nobody uploaded


class VoiceStore:
    """The built-in voices of one engine, then those of ``library``, where the engine ``clones`` voices."""

    def __init__(
        self,
        builtin: Sequence[VoiceInfo],
        default: str = "",
        library: VoiceLibrary | None = None,
        engine: str = "",
        clones: bool = True,
    ) -> None:
        self._builtin = {voice.id: voice for voice in builtin}
        self._configured = default
        self._library = library  # has the chosen default, in any case
        self._clips = library if clones else None
        self._engine = engine
        self._seen: tuple[Shelf, list[VoiceInfo]] = Shelf(), list(builtin)  # replaced whole: no lock
        if default and self._clips is None and default not in self._builtin:
            raise BadConfig("bad_config", name="default_voice", reason=f"there is no voice '{default}'")

    def all(self) -> Sequence[VoiceInfo]:
        """Built-in voices in the engine's order; then uploaded ones, oldest first, and samples last."""
        return self._look()[1]

    def _look(self) -> tuple[Shelf, list[VoiceInfo]]:
        """The library as it is, and the voices that follow from it."""
        seen = self._seen
        if self._library is not None and (shelf := self._library.shelf) is not seen[0]:
            stored = shelf.voices if self._clips is not None else ()
            infos = sorted((voice.info() for voice in stored), key=lambda info: SAMPLE in info.tags)
            seen = self._seen = shelf, [*self._builtin.values(), *infos]
        return seen

    @property
    def default(self) -> str:
        """The id that "" stands for: the chosen one, the configured one, the first; "" where there is none."""
        shelf, voices = self._look()
        for name in filter(None, (shelf.default, self._configured)):
            found = _find(voices, name)
            if found is not None and found.shared:
                return found.id
        return next((voice.id for voice in voices if voice.shared), "")

    def find(self, voice: str) -> VoiceInfo | None:
        """The voice of that id, else of that exact name."""
        return _find(self.all(), voice)

    def names_in(self, voice: str) -> list[VoiceInfo]:
        """The voices that ``voice`` names, alone or in a blend; unknown ones are left out."""
        whole = self.find(voice.strip())
        parts = [part.partition(":")[0].strip() for part in voice.split("+")]
        return [whole] if whole else [info for part in parts if (info := self.find(part)) is not None]

    def info(self, voice: str) -> VoiceInfo:
        """The voice that speaks loudest in ``voice``. Raises as :meth:`resolve`."""
        return max(self._named(voice), key=lambda item: item[1])[0]

    def resolve(self, voice: str) -> tuple[VoiceRef, ...]:
        """What an engine gets for an id, a name, ``clip:<sha256>``, or a blend ``a+b``, ``a:0.7+b:0.3``.

        "" is the default. Weights are made to sum to 1. A clip counts as used now.

        Raises:
            NotFound: a voice or clip that does not exist.
            Invalid: no voice at all; a blend that cannot be read, has more than four parts, or clips in it.
        """
        named = self._named(voice)
        total = sum(weight for _, weight in named)
        if not (math.isfinite(total) and total > 0):
            raise Invalid("bad_value", param="voice", reason="needs weights above 0, as in 'a:0.7+b:0.3'")
        return tuple(self._ref(info, round(weight / total, 6)) for info, weight in named)

    def clip_key(self, voice: str, param: str = "clip") -> str:
        """The sha256 behind an uploaded voice's id or name, ``clip:<sha256>`` or a bare sha256.

        Raises:
            NotFound: there is no such clip or voice.
        """
        found = self.find(voice)
        key = voice.removeprefix(CLIP) if found is None else self._ref(found, 1.0).key
        if (found is not None and found.kind != "clip") or self._clips is None:
            raise NotFound("clip_not_found", param=param, clip=voice[:64])
        if not self._clips.touch(key):
            raise NotFound("clip_not_found", param=param, clip=key[:64])
        return key

    def _named(self, voice: str) -> list[tuple[VoiceInfo, float]]:
        voice = voice.strip() or self.default
        if not voice:
            raise Invalid("no_voice", param="voice")
        if voice.startswith(CLIP):
            return [(self._clip(voice), 1.0)]
        whole = self.find(voice)
        if whole is not None:
            return [(whole, 1.0)]
        parts = voice.split("+")
        if len(parts) > MAX_BLEND:
            raise Invalid("bad_value", param="voice", reason=f"blends at most {MAX_BLEND} voices")
        named = [self._part(part) for part in parts]
        if len(named) > 1 and any(info.kind == "clip" for info, _ in named):
            what = "a blend of cloned voices; name one voice"
            raise Invalid("unsupported", param="voice", engine=self._engine, what=what)
        return named

    def _clip(self, voice: str) -> VoiceInfo:
        if self._clips is None:
            what = "speaking in the voice of a clip; choose a built-in voice"
            raise Invalid("unsupported", param="voice", engine=self._engine, what=what)
        return VoiceInfo(voice, voice, voice, "", "", "clip")

    def _ref(self, info: VoiceInfo, weight: float) -> VoiceRef:
        if info.kind == "builtin" or self._clips is None:
            return VoiceRef("builtin", info.id, weight)
        stored = self._clips.shelf.find(info.id)
        key = info.id.removeprefix(CLIP) if stored is None else stored.clip
        if not self._clips.touch(key):
            raise NotFound("clip_not_found", param="voice", clip=key[:64])
        return VoiceRef("clip", key, weight)

    def _part(self, part: str) -> tuple[VoiceInfo, float]:
        match = _PART.fullmatch(part.strip())
        key = match.group(1).strip() if match else part.strip()
        info = self.find(key)
        if info is None:
            raise NotFound("voice_not_found", param="voice", voice=key[:64])
        try:
            return info, float(match.group(2)) if match and match.group(2) else 1.0
        except ValueError as error:
            raise Invalid("bad_value", param="voice", reason="has a weight that is no number") from error


def _find(voices: Sequence[VoiceInfo], voice: str) -> VoiceInfo | None:
    named = None
    for info in voices:
        if info.id == voice:
            return info
        if named is None and info.name == voice:
            named = info
    return named
