"""VoiceStore: which voices there are, and what a request's ``voice`` means."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from .errors import BadConfig, Invalid, NotFound, TTSError
from .library import Shelf, VoiceLibrary
from .speech import Owner, VoiceInfo, VoiceRef

_PART = re.compile(r"([^:+]+)(?::([0-9.]+))?")
MAX_BLEND = 4
CLIP = "clip:"  # and a sha256: a clip that belongs to no voice
SAMPLE = "sample"  # the tag of voices that nobody uploaded


def sees(owner: Owner, voice: VoiceInfo) -> bool:
    """Whether a voice is there for ``owner``: shared, their own, or they are an admin."""
    return voice.shared or voice.owner == owner.key or owner.may("admin")


class VoiceStore:
    """The built-in voices of one engine, then those of ``library`` that it can speak with.

    That is clips where it ``clones`` voices, saved blends of its own voices where it ``blends`` them.
    """

    def __init__(
        self,
        builtin: Sequence[VoiceInfo],
        default: str = "",
        library: VoiceLibrary | None = None,
        engine: str = "",
        clones: bool = True,
        blends: bool = False,
    ) -> None:
        self._builtin = {voice.id: voice for voice in builtin}
        self._configured = default
        self._library = library  # has the chosen default, in any case
        self._clips = library if clones else None
        self._blends = blends
        self._engine = engine
        self._seen: tuple[Shelf, list[VoiceInfo]] = Shelf(), list(builtin)  # replaced whole: no lock
        if default and self._clips is None and self._builtin and default not in self._builtin:
            raise BadConfig("bad_config", name="default_voice", reason=f"there is no voice '{default}'")

    def all(self) -> Sequence[VoiceInfo]:
        """Built-in voices in the engine's order; then added ones, oldest first, and samples last."""
        return self._look()[1]

    def replace_builtin(self, builtin: Sequence[VoiceInfo]) -> None:
        """The engine has these now; any thread may be reading the old ones."""
        self._builtin = {voice.id: voice for voice in builtin}
        self._seen = Shelf(), list(builtin)

    def _look(self) -> tuple[Shelf, list[VoiceInfo]]:
        """The library as it is, and the voices that follow from it."""
        seen = self._seen
        if self._library is not None and (shelf := self._library.shelf) is not seen[0]:
            stored = (voice.info() for voice in shelf.voices)
            infos = sorted(filter(self._speaks, stored), key=lambda info: SAMPLE in info.tags)
            seen = self._seen = shelf, [*self._builtin.values(), *infos]
        return seen

    def _speaks(self, info: VoiceInfo) -> bool:
        if info.kind == "clip":
            return self._clips is not None
        return self._blends and all(key in self._builtin for key, _ in _mixed(info.blend))

    @property
    def default(self) -> str:
        """The id that "" stands for: the chosen one, the configured one, the first; "" where there is none."""
        shelf, voices = self._look()
        for name in filter(None, (shelf.default, self._configured)):
            found = _best([info for info in voices if info.shared], name)
            if found is not None:
                return found.id
        return next((voice.id for voice in voices if voice.shared), "")

    def find(self, voice: str, owner: Owner | None = None) -> VoiceInfo | None:
        """The voice of that id, else of that exact name; with an ``owner`` of those that they see.

        Two may have a private voice of one name: each owner's own goes first, then what is shared.
        """
        if owner is None:
            return _best(self.all(), voice)
        return _best([info for info in self.all() if sees(owner, info)], voice, owner.key)

    def meant(self, voice: str, owner: Owner) -> str:
        """What ``owner`` means by ``voice``, with ids for the names in it; what nobody knows stays as it is.

        Raises NotFound where it names what is private to somebody else.
        """
        voice = voice.strip()
        if not voice or voice.startswith(CLIP):
            return voice
        if (whole := self.find(voice, owner)) is not None:
            return whole.id
        if self.find(voice) is not None:
            raise missing(voice)
        parts = [part.strip().partition(":") for part in voice.split("+")]
        known = [
            (self.find(name.strip(), owner), name.strip(), colon + weight) for name, colon, weight in parts
        ]
        if any(info is None and self.find(name) is not None for info, name, _ in known):
            raise missing(voice)
        return "+".join((name if info is None else info.id) + weight for info, name, weight in known)

    def mix(self, blend: str) -> str:
        """A blend as it is saved: ids, and weights that sum to 1.

        Raises:
            Invalid: the engine does not blend, or what is asked is no blend of two to four of its voices.
            NotFound: a voice that does not exist.
        """
        if not self._blends:
            what = "blending voices; upload a recording"
            raise Invalid("unsupported", param="blend", engine=self._engine, what=what)
        try:
            refs = self.resolve(blend)
        except TTSError as error:
            raise type(error)(error.code, **{**error.facts, "param": "blend"}) from error
        if len({ref.key for ref in refs}) < 2:
            raise Invalid("bad_value", param="blend", reason="needs two voices or more, as in 'a:0.6+b:0.4'")
        return "+".join(f"{ref.key}:{ref.weight:.4g}" for ref in refs)

    def info(self, voice: str) -> VoiceInfo:
        """The voice that speaks loudest in ``voice``. Raises as :meth:`resolve`."""
        return max(self._named(voice), key=lambda item: item[1])[0]

    def resolve(self, voice: str) -> tuple[VoiceRef, ...]:
        """What an engine gets for an id, a name, ``clip:<sha256>``, or a blend ``a+b``, ``a:0.7+b:0.3``.

        "" is the default. Weights are made to sum to 1. A clip counts as used now. A saved blend may be a part.

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

    def check_clones(self) -> None:
        """Raises Invalid where the engine cannot speak in the voice of a recording."""
        if self._clips is None:
            what = "speaking in the voice of a recording; choose a built-in voice"
            raise Invalid("unsupported", param="file", engine=self._engine, what=what)

    def _named(self, voice: str) -> list[tuple[VoiceInfo, float]]:
        voice = voice.strip() or self.default
        if not voice:
            raise Invalid("no_voice", param="voice")
        if voice.startswith(CLIP):
            return [(self._clip(voice), 1.0)]
        whole = self.find(voice)
        parts = voice.split("+")
        if whole is None and len(parts) > MAX_BLEND:
            raise Invalid("bad_value", param="voice", reason=f"blends at most {MAX_BLEND} voices")
        named = [(whole, 1.0)] if whole is not None else [self._part(part) for part in parts]
        named = [pair for info, weight in named for pair in self._spoken(info, weight)]
        if len(named) > MAX_BLEND:
            raise Invalid("bad_value", param="voice", reason=f"blends at most {MAX_BLEND} voices")
        if len(named) > 1 and any(info.kind == "clip" for info, _ in named):
            what = "a blend of cloned voices; name one voice"
            raise Invalid("unsupported", param="voice", engine=self._engine, what=what)
        return named

    def _spoken(self, info: VoiceInfo, weight: float) -> list[tuple[VoiceInfo, float]]:
        """The voices that speak for one; a saved blend's own weights sum to 1."""
        if info.kind != "blend":
            return [(info, weight)]
        return [(self._builtin[key], weight * part) for key, part in _mixed(info.blend)]

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
        return VoiceRef("clip", key, weight, "" if stored is None else stored.transcript)

    def _part(self, part: str) -> tuple[VoiceInfo, float]:
        match = _PART.fullmatch(part.strip())
        key = match.group(1).strip() if match else part.strip()
        info = self.find(key)
        if info is None:
            raise missing(key)
        try:
            return info, float(match.group(2)) if match and match.group(2) else 1.0
        except ValueError as error:
            raise Invalid("bad_value", param="voice", reason="has a weight that is no number") from error


def missing(voice: str) -> NotFound:
    """The error about a voice that does not exist, or not for who asks."""
    return NotFound("voice_not_found", param="voice", voice=voice[:64])


def _mixed(blend: str) -> list[tuple[str, float]]:
    """The ids and weights of a saved blend (see ``VoiceStore.mix``)."""
    return [(key, float(weight)) for key, _, weight in (part.partition(":") for part in blend.split("+"))]


def _best(voices: Sequence[VoiceInfo], voice: str, key: str = "") -> VoiceInfo | None:
    """Of those called ``voice``, in either language, what is shared or ``key``'s own: by id, then ``key``'s own."""
    found = [info for info in voices if voice in (info.id, info.name, info.name_zh)]
    if len(found) < 2:
        return found[0] if found else None

    def rank(info: VoiceInfo) -> tuple[bool, bool, bool, bool]:
        own = bool(key) and info.owner == key
        return bool(key) and not (own or info.shared), info.id != voice, not own, not info.shared

    return min(found, key=rank)
