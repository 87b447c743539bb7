"""VoiceDesk: the part of the service that knows the voices: built-in ones, the library, one-off clips."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from .errors import Forbidden, Invalid, NotFound, TTSError
from .librarian import Librarian
from .library import StoredClip, VoiceLibrary
from .sample_voices import make_samples
from .speech import Owner, VoiceInfo, VoiceRef
from .voices import VoiceStore

log = logging.getLogger("tts.voices")
T = TypeVar("T")
NOBODY = Owner("")
CLEAN_SECONDS = 600.0


class VoiceDesk:
    """``folder`` holds the library; ``clones``: whether the engine speaks in the voice of a clip."""

    def __init__(
        self, folder: Path, engine: str, builtin: Sequence[VoiceInfo], default: str, clones: bool
    ) -> None:
        self.library = VoiceLibrary(folder)
        self.voice_store = VoiceStore(builtin, default, self.library, engine, clones)
        if clones and default and self.voice_store.find(default) is None:
            log.warning(
                "default_voice: there is no voice '%s' yet; another speaks until it is added", default
            )
        self._engine = engine
        self._clones = clones
        self._librarian = Librarian(self.library, self.voice_store)
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="tts-pool")
        self._upkeep: asyncio.Task[None] | None = None

    async def in_pool(self, function: Callable[..., T], *args: Any) -> T:
        """Run something short off the event loop (levelling, encoding, splitting, decoding)."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, function, *args)

    def voices(self) -> Sequence[VoiceInfo]:
        """All voices, best first for each language."""
        return self.voice_store.all()

    def default_voice(self) -> str:
        """The id of the voice that is used where a request names none; "" where there is none yet."""
        return self.voice_store.default

    def find_voice(self, voice: str) -> VoiceInfo | None:
        """The voice of that id, else of that exact name."""
        return self.voice_store.find(voice)

    def sees(self, owner: Owner, voice: VoiceInfo) -> bool:
        """Whether a voice is there for ``owner``: shared, their own, or they are an admin."""
        return voice.shared or voice.owner == owner.key or owner.may("admin")

    def check_sees(self, owner: Owner, *voices: str) -> None:
        """Raises NotFound where one names a voice that is private to somebody else."""
        for name in filter(None, voices):
            if not all(self.sees(owner, found) for found in self.voice_store.names_in(name)):
                raise NotFound("voice_not_found", param="voice", voice=name[:64])

    def check_changes(self, owner: Owner, voice: str) -> None:
        """Raises NotFound, or Forbidden where ``owner`` may hear a voice, but not change it."""
        self.check_sees(owner, voice)
        found = self.find_voice(voice)
        if found is not None and found.owner not in ("", owner.key) and not owner.may("admin"):
            raise Forbidden("role_missing", role="admin")

    # ---- changing them

    async def add_clip(self, data: bytes) -> StoredClip:
        """Check and store a recording, for ``clip:<key>`` as a voice or emotion, or for a voice to be added.

        It is deleted a day after its last use, unless a voice has it. Raises Invalid or TooLarge.
        """
        self._check_clones()
        return await self.in_pool(self.library.add_clip, data)

    async def add_voice(
        self,
        clip: bytes | str,
        name: str,
        *,
        statement: str,
        language: str = "",
        gender: str = "",
        tags: Sequence[str] = (),
        owner: Owner = NOBODY,
        shared: bool = False,
    ) -> VoiceInfo:
        """A voice of a recording, or of a stored clip's key. ``statement``: why the uploader may use this voice.

        Raises:
            Invalid: a bad recording or value, or no statement.
            NotFound: no such clip.
            Conflict: a voice of that name exists.
        """
        self._check_clones()
        key = clip if isinstance(clip, str) else (await self.add_clip(clip)).key

        def add() -> VoiceInfo:
            return self._librarian.add(
                key,
                name,
                statement=statement,
                language=language,
                gender=gender,
                tags=tags,
                owner=owner.key,
                shared=shared,
            )

        return await self.in_pool(add)

    async def update_voice(
        self,
        voice: str,
        *,
        name: str | None = None,
        language: str | None = None,
        gender: str | None = None,
        tags: Sequence[str] | None = None,
        shared: bool | None = None,
    ) -> VoiceInfo:
        """Change what is not None; the id stays. Raises NotFound, Invalid or Conflict."""
        return await self.in_pool(
            lambda: self._librarian.update(
                voice, name=name, language=language, gender=gender, tags=tags, shared=shared
            )
        )

    async def delete_voice(self, voice: str) -> None:
        """Take it out; requests under way still speak with it. Raises NotFound, or Invalid for a built-in one."""
        await self.in_pool(self._librarian.delete, voice)

    async def set_default_voice(self, voice: str) -> VoiceInfo:
        """The voice where a request names none, from now on. Raises NotFound."""
        return await self.in_pool(self._librarian.set_default, voice)

    def voice_clip(self, voice: str) -> Path:
        """The WAV file of an uploaded voice, or of a clip by its key. Raises NotFound or Invalid."""
        return self._librarian.clip(voice)

    # ---- life

    def start_upkeep(self, kokoro: Path) -> None:
        """Begin, once, in the background: sample voices where there are none, and deleting old clips."""
        if self._clones and self._upkeep is None:
            self._upkeep = asyncio.create_task(self._keep_up(kokoro), name="voice-upkeep")

    async def stop_upkeep(self) -> None:
        """End it."""
        if self._upkeep is not None:
            self._upkeep.cancel()
            await asyncio.gather(self._upkeep, return_exceptions=True)
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _keep_up(self, kokoro: Path) -> None:
        await make_samples(self.library, self._librarian, kokoro)
        while True:
            try:
                await self.in_pool(self.library.clean)
            except TTSError as error:
                log.warning("old clips could not be deleted: %s", error)
            await asyncio.sleep(CLEAN_SECONDS)

    # ---- checks

    def _check_clones(self) -> None:
        if not self._clones:
            what = "speaking in the voice of a recording; choose a built-in voice"
            raise Invalid("unsupported", param="file", engine=self._engine, what=what)

    def _resolved(self, voice: str) -> tuple[VoiceInfo, tuple[VoiceRef, ...]]:
        """Who speaks loudest, and all that speak. Raises Invalid or NotFound."""
        return self.voice_store.info(voice), self.voice_store.resolve(voice)
