"""VoiceDesk: the part of the service that knows the voices: built-in ones, the library, one-off clips."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeVar, Unpack

from . import markup, voice_archive
from .audio.apart import AT_ONCE, Apart
from .errors import Forbidden, Invalid, NotFound, TTSError
from .librarian import Changes, Details, Librarian
from .library import IDENTITIES, KEEP_BINNED, StoredClip, StoredVoice, VoiceLibrary
from .sample_voices import make_samples
from .speech import Cast, Owner, SpeechRequest, VoiceInfo, VoiceRef
from .voices import VoiceStore, missing, sees

log = logging.getLogger("tts.voices")
T = TypeVar("T")
NOBODY = Owner("")
CLEAN_SECONDS = 600.0


class VoiceDesk:
    """``folder`` holds the library; ``clones``: whether the engine speaks in the voice of a clip, ``blends``:
    in several of its own voices at once."""

    def __init__(
        self,
        folder: Path,
        engine: str,
        builtin: Sequence[VoiceInfo],
        default: str,
        clones: bool,
        blends: bool = False,
    ) -> None:
        self._apart = Apart()
        self.library = VoiceLibrary(folder, self._apart.decode)
        self.voice_store = VoiceStore(builtin, default, self.library, engine, clones, blends)
        if clones and default and self.voice_store.find(default) is None:
            log.warning(
                "default_voice: there is no voice '%s' yet; another speaks until it is added", default
            )
        self._clones = clones
        self._librarian = Librarian(self.library, self.voice_store)
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="tts-pool")
        self._uploads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="tts-uploads")
        self._upkeep: asyncio.Task[None] | None = None

    async def in_pool(self, function: Callable[..., T], *args: Any) -> T:
        """Run something short off the event loop (levelling, encoding, splitting, decoding)."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, function, *args)

    async def _apart_from_speech(self, function: Callable[..., T], *args: Any) -> T:
        """Run what decodes uploads: a file may take a minute, and nobody's speech waits for it."""
        return await asyncio.get_running_loop().run_in_executor(self._uploads, function, *args)

    def voices(self) -> Sequence[VoiceInfo]:
        """All voices, best first for each language."""
        return self.voice_store.all()

    def default_voice(self) -> str:
        """The id of the voice that is used where a request names none; "" where there is none yet."""
        return self.voice_store.default

    def find_voice(self, voice: str, owner: Owner | None = None) -> VoiceInfo | None:
        """The voice of that id, else of that exact name; with an ``owner``, as they mean it."""
        return self.voice_store.find(voice, owner)

    def sees(self, owner: Owner, voice: VoiceInfo) -> bool:
        """Whether a voice is there for ``owner``: shared, their own, or they are an admin."""
        return sees(owner, voice)

    def check_sees(self, owner: Owner, *voices: str) -> None:
        """Raises NotFound where one names a voice that is private to somebody else."""
        for name in voices:
            self.voice_store.meant(name, owner)

    def keeps_private(self, owner: Owner) -> bool:
        """Whether what ``owner`` adds is theirs alone, until they share it."""
        return owner.key.startswith(IDENTITIES)

    def may_change(self, owner: Owner, voice: VoiceInfo) -> bool:
        """Whether ``owner`` may rename or delete it: nobody's own, theirs, or they are an admin."""
        return voice.kind != "builtin" and (voice.owner in ("", owner.key) or owner.may("admin"))

    def seen_voice(self, owner: Owner, voice: str) -> VoiceInfo:
        """The voice that ``owner`` means. Raises NotFound."""
        found = self.find_voice(voice, owner)
        if found is None:
            raise missing(voice)
        return found

    def own_voice(self, owner: Owner, voice: str) -> VoiceInfo:
        """The same, to be changed. Raises NotFound, Invalid for a built-in one, Forbidden for somebody else's."""
        found = self.seen_voice(owner, voice)
        if found.kind == "builtin":
            raise Invalid("builtin_voice", param="voice", voice=found.id)
        if not self.may_change(owner, found):
            raise Forbidden("role_missing", role="admin")
        return found

    # ---- changing them

    async def add_clip(self, data: bytes, start: float | None = None, end: float | None = None) -> StoredClip:
        """Check and store a recording, for ``clip:<key>`` as a voice or emotion, or for a voice to be added.

        ``start`` and ``end``: the seconds of it to take. It is deleted a day after its last use, unless a voice
        has it. Raises Invalid or TooLarge.
        """
        self.voice_store.check_clones()
        return await self._apart_from_speech(self.library.add_clip, data, start, end)

    async def cut_clip(self, owner: Owner, clip: str, start: float | None, end: float | None) -> StoredClip:
        """The same of a clip that is stored already, or of a voice's. Raises NotFound or Invalid."""
        self.voice_store.check_clones()
        return await self.in_pool(self._librarian.cut, self.voice_store.meant(clip, owner), start, end)

    async def add_voice(
        self,
        clip: bytes | str,
        name: str,
        *,
        statement: str,
        owner: Owner = NOBODY,
        **details: Unpack[Details],
    ) -> VoiceInfo:
        """A voice of a recording, or of a stored clip's key. ``statement``: why the uploader may use this voice.

        Raises:
            Invalid: a bad recording or value, or no statement.
            NotFound: no such clip.
            Conflict: a voice of that name exists.
        """
        self.voice_store.check_clones()
        if isinstance(clip, bytes):
            clip = (await self.add_clip(clip)).key
        key = self.voice_store.meant(clip, owner)
        add = partial(self._librarian.add, key, name, statement=statement, owner=owner.key, **details)
        return await self.in_pool(add)

    async def add_blend(
        self, blend: str, name: str, *, owner: Owner = NOBODY, **details: Unpack[Details]
    ) -> VoiceInfo:
        """A blend of built-in voices ("a:0.6+b:0.4") as a voice. Raises as :meth:`add_voice`."""
        meant = self.voice_store.meant(blend, owner)
        return await self.in_pool(partial(self._librarian.add_blend, meant, name, owner=owner.key, **details))

    async def update_voice(self, voice: str, **changes: Unpack[Changes]) -> VoiceInfo:
        """Change what is not None; the id stays. Raises NotFound, Invalid or Conflict."""
        return await self.in_pool(partial(self._librarian.update, voice, **changes))

    async def delete_voice(self, voice: str) -> None:
        """Put it into the bin; requests under way still speak with it. Raises NotFound, Invalid if built-in."""
        await self.in_pool(self._librarian.delete, voice)

    @property
    def bin_seconds(self) -> float:
        """For which a deleted voice can be restored."""
        return KEEP_BINNED

    def binned_voices(self, owner: Owner) -> list[StoredVoice]:
        """The deleted voices that ``owner`` may restore, the last one first."""
        return [item for item in self.library.shelf.bin if self.may_change(owner, item.info())]

    async def restore_voice(self, owner: Owner, voice: str) -> VoiceInfo:
        """Take the last deleted voice of that id, else name, out of the bin. Raises NotFound."""
        there = self.binned_voices(owner)
        named = [item for item in there if item.id == voice] or [item for item in there if item.name == voice]
        if not named:
            raise missing(voice)
        return await self.in_pool(self._librarian.restore, named[0])

    async def export_voices(self, owner: Owner, voices: Iterable[str]) -> IO[bytes]:
        """The archive of voices that ``owner`` may change; without any named, of all. Raises as :meth:`own_voice`."""
        infos = [self.own_voice(owner, voice) for voice in voices]
        infos = infos or [info for info in self.voices() if self.may_change(owner, info)]
        return await self.in_pool(voice_archive.pack, self.library, [info.id for info in infos])

    async def import_voices(self, owner: Owner, data: bytes, shared: bool = False) -> voice_archive.Imported:
        """Add the voices of an archive as ``owner``'s, each checked as an upload. Raises Invalid for no archive."""
        return await self._apart_from_speech(voice_archive.unpack, self._librarian, data, owner, shared)

    async def set_default_voice(self, voice: str) -> VoiceInfo:
        """The voice where a request names none, from now on. Raises NotFound."""
        return await self.in_pool(self._librarian.set_default, voice)

    def voice_clip(self, voice: str, owner: Owner | None = None) -> Path:
        """The WAV file of an uploaded voice, or of a clip by its key. Raises NotFound or Invalid."""
        return self._librarian.clip(self._as_meant(voice, owner))

    # ---- life

    def start_upkeep(self, kokoro: Path) -> None:
        """Begin, once, in the background: sample voices where there are none, and deleting old clips."""
        if self._upkeep is None:
            self._upkeep = asyncio.create_task(self._keep_up(kokoro), name="voice-upkeep")

    async def stop_upkeep(self) -> None:
        """End it."""
        if self._upkeep is not None:
            self._upkeep.cancel()
            await asyncio.gather(self._upkeep, return_exceptions=True)
        self._apart.close()
        for pool in (self._uploads, self._pool):
            pool.shutdown(wait=False, cancel_futures=True)

    async def _keep_up(self, kokoro: Path) -> None:
        if self._clones:
            await make_samples(self.library, self._librarian, kokoro)
        while True:
            for key in await self._clips_wanted():
                await self.in_pool(self.library.touch, key)
            try:
                await self.in_pool(self.library.clean)
            except TTSError as error:
                log.warning("old clips could not be deleted: %s", error)
            await asyncio.sleep(CLEAN_SECONDS)

    async def _clips_wanted(self) -> set[str]:
        """The keys of clips of no voice that are to stay, too."""
        return set()

    # ---- who speaks a text

    def meant(self, request: SpeechRequest, owner: Owner) -> SpeechRequest:
        """The request with ids for the names of voices in it. Raises NotFound for what others keep private."""
        asked, emotion = replace(request, voice=self.voice_store.meant(request.voice, owner)), request.emotion
        if emotion is None or not emotion.clip:
            return asked
        return replace(asked, emotion=replace(emotion, clip=self.voice_store.meant(emotion.clip, owner)))

    def cast(self, text: str, voice: str, owner: Owner | None = None, needed: bool = True) -> Cast:
        """Who speaks for ``voice``, and for each that a mark in ``text`` names. Raises Invalid or NotFound.

        Unless ``needed``, nobody speaks for no voice where there is none.
        """

        def resolve(name: str) -> tuple[VoiceRef, ...]:
            return self.voice_store.resolve(self._as_meant(name, owner))

        nobody = not (needed or voice or self.default_voice())
        return {"": () if nobody else resolve(voice), **_named(text, resolve)}

    def tongues(self, text: str, voice: str, owner: Owner | None = None) -> Mapping[str, str]:
        """What each of them speaks best (of a blend the loudest); "" without any voice. Raises the same."""

        def tongue(name: str) -> str:
            return self.voice_store.info(self._as_meant(name, owner)).language

        return {"": tongue(voice) if voice or self.default_voice() else "", **_named(text, tongue)}

    def _as_meant(self, voice: str, owner: Owner | None) -> str:
        return voice if owner is None else self.voice_store.meant(voice, owner)


def _named(text: str, found: Callable[[str], T]) -> dict[str, T]:
    """What is ``found`` for each name in the marks; where one is wrong, the text is: Invalid, naming it."""
    try:
        return {name: found(name) for name in sorted(markup.voices(text))}
    except (Invalid, NotFound) as error:
        raise Invalid(error.code, **{**error.facts, "param": "input"}) from error
