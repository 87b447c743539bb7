"""Catalogue: what each upstream can, as far as it is known: asked at the start, remembered for when one is away.

The upstreams of an instance stand for each other: a segment goes to any of them. So what is offered is what all of
them have.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..shared_json import write_whole
from ..speech import VoiceInfo
from .about import OURS, About, spec_of
from .answers import Busy, Failed, Refused
from .client import Client
from .meeting import meet
from .upstreams import PARTS, Upstream

log = logging.getLogger("tts.remote")
ASK_SECONDS = 3.0  # at the start, for all together
RATE = 24_000  # Hz of the sound, whatever an upstream sends
LANGUAGES = ("zh", "en")


class Catalogue:
    """``path``: the file that remembers. ``on_change`` is called, in the event loop, when voices came or went."""

    def __init__(self, upstreams: Sequence[Upstream], path: Path) -> None:
        self.upstreams = upstreams
        self.on_change: Callable[[], None] = lambda: None
        self._path = path
        self._known: dict[str, About] = self._remembered()

    # ---- what is offered

    def voices(self) -> Sequence[VoiceInfo]:
        """Those of every upstream that is known, in the order of the first."""
        known = self._abouts()
        others = [{info.id for info in about.voices} for about in known[1:]]
        first = known[0].voices if known else ()
        return tuple(info for info in first if all(info.id in ids for ids in others))

    def features(self) -> tuple[str, ...]:
        """What all of them can; where none was ever met, anything: it is known once one is."""
        return self._common([about.features for about in self._abouts()], PARTS)

    def languages(self) -> tuple[str, ...]:
        """What all of them speak; by their engine, where that is one of ours."""
        spoken = []
        for about in self._abouts():
            spec = spec_of(about)
            own = (spec.languages or _tongues(about)) if spec else LANGUAGES
            spoken.append(about.languages or own)
        return self._common(spoken, LANGUAGES)

    def parameters(self) -> tuple[str, ...]:
        """The parameters that all of them take."""
        taken = []
        for upstream in self.upstreams:
            about = self._known.get(upstream.name)
            spec = spec_of(about) if about and about.kind == OURS else None
            taken.append(upstream.parameters or (spec.parameters if spec else ()))
        return self._common(taken, ())

    # ---- what is learned

    def learn(self, upstream: Upstream, about: About) -> None:
        """It was met."""
        if self._known.get(upstream.name) == about:
            return
        before = self.voices()
        self._known[upstream.name] = about
        self._write()
        if self.voices() != before:
            lacking = {info.id for info in about.voices} ^ {info.id for info in self.voices()}
            if lacking:
                log.info(
                    "%s: %d voices are not offered: not every upstream has them", upstream.name, len(lacking)
                )
            self.on_change()

    def ask(self) -> None:
        """Meet all of them now, for a few seconds; what does not answer is as it was known, or unknown."""
        with ThreadPoolExecutor(1, thread_name_prefix="upstreams") as pool:  # a loop may be running here
            pool.submit(lambda: asyncio.run(self._ask())).result()

    async def _ask(self) -> None:
        asked = [asyncio.create_task(self._meet(upstream)) for upstream in self.upstreams]
        _, late = await asyncio.wait(asked, timeout=ASK_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)

    async def _meet(self, upstream: Upstream) -> None:
        client = Client(upstream, RATE)
        try:
            self._known[upstream.name] = (await meet(client, upstream)).about
            self._write()
        except (Failed, Busy, Refused) as error:
            log.warning("upstream %s: %s", upstream.name, error)
        finally:
            await client.close()

    # ---- inside

    def _abouts(self) -> list[About]:
        known = [(one, self._known[one.name]) for one in self.upstreams if one.name in self._known]
        return [about.configured(upstream) for upstream, about in known]

    @staticmethod
    def _common(each: Sequence[tuple[str, ...]], unknown: tuple[str, ...]) -> tuple[str, ...]:
        if not each:
            return unknown
        return tuple(item for item in each[0] if all(item in one for one in each[1:]))

    def _remembered(self) -> dict[str, About]:
        try:
            data = json.loads(self._path.read_text("utf-8"))
            found = {name: About.from_json(about) for name, about in data.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}
        return {one.name: found[one.name] for one in self.upstreams if one.name in found}

    def _write(self) -> None:
        text = json.dumps({name: about.to_json() for name, about in self._known.items()}, ensure_ascii=False)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._path, text.encode())
        except OSError as error:
            log.warning("what upstreams have could not be written down: %s", error)


def _tongues(about: About) -> tuple[str, ...]:
    """Of an engine whose voices speak one language each."""
    return tuple(dict.fromkeys(info.language.partition("-")[0] for info in about.voices if info.language))
