"""Talk: what one ``synthesize``, or one stream of text, asks to be spoken. Its text may still be growing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ..errors import Invalid
from ..text.atoms import sentences

AHEAD = 65_536  # characters that may wait to be spoken
ENDS = tuple("。！？!?…\n")  # behind these a sentence is over, whatever comes next


@dataclass(frozen=True, slots=True)
class Wish:
    """How to speak: a voice's id or name, "" for the default; or by language, where no voice was named."""

    voice: str = ""
    language: str = ""


class Talk:
    """The connection's reader writes text, the speaker takes whole sentences as they become known."""

    def __init__(self, wish: Wish, streamed: bool) -> None:
        self.wish = wish
        self.streamed = streamed
        self._text = ""
        self._ended = False
        self._news = asyncio.Event()

    def write(self, text: str) -> None:
        """More of the text. Raises Invalid where too much of it waits."""
        if len(self._text) + len(text) > AHEAD:
            raise Invalid("text_too_long", param="text", length=len(self._text) + len(text), limit=AHEAD)
        self._text += text
        self._news.set()

    def end(self) -> None:
        """There is no more."""
        self._ended = True
        self._news.set()

    async def take(self, most: int) -> str:
        """Wait for whole sentences, at most ``most`` characters of them; "" when all is taken.

        A single sentence may be longer: the service refuses it by its own bound.
        """
        while True:
            self._news.clear()
            if not self.streamed and self._ended:
                found, self._text = self._text, ""
                return found
            if found := self._whole(most):
                self._text = self._text[len(found) :]
                if found.strip():
                    return found
            elif self._ended:
                return ""
            else:
                await self._news.wait()

    def _whole(self, most: int) -> str:
        """The beginning of the text that is whole sentences."""
        if self._ended and len(self._text) <= most:
            return self._text
        ends = self._ends()
        if ends and not self._ended and not self._text.rstrip(" ").endswith(ENDS):
            ends.pop()  # the last one may go on
        fitting = [end for end in ends if end <= most] or ends[:1]
        # a sentence without an end is given away at the bound, to be refused there
        return self._text[: fitting[-1] if fitting else (most + 1 if len(self._text) > most else 0)]

    def _ends(self) -> list[int]:
        """Where each sentence ends; blanks belong to the one behind them."""
        found, at = [], 0
        for sentence, _, _ in sentences(self._text):
            at = self._text.index(sentence, at) + len(sentence)
            found.append(at)
        return found
