"""One segment on its way through the stages: what it asks for, read once, and what it has so far."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from torch import Tensor

from ...speech import EMOTIONS, Emotion, Segment
from .conditioning import Item
from .emotion import EmotionMixer
from .types import Sampling, Voice

STEPS, GUIDANCE = 25, 0.7  # the packages' own
SLOWEST = 8.0  # times the natural duration: speed and duration factor together


class BadSegment(Exception):
    """The segment cannot be spoken, as it is; its text says why."""


@dataclass(slots=True, eq=False)
class Work:
    """``own``: the voice's clip as a speaker and as an emotion; ``other``: another clip's emotion, or ()."""

    segment: Segment
    ids: list[int]
    sampling: Sampling
    own: tuple[Item, Item]
    other: tuple[Item, ...] = ()
    steps: int = STEPS
    guidance: float = GUIDANCE
    factor: float = 1.0
    began: float = field(default_factory=time.monotonic)
    voice: Voice | None = None
    emovec: Tensor | None = None  # [D]

    @classmethod
    def of(cls, segment: Segment, codes_per_second: float, greedy: bool = False) -> Work:
        """Read ``segment``. Raises BadSegment where no door should have let it pass."""
        if len(segment.voices) != 1 or segment.voices[0].kind != "clip":
            raise BadSegment("this engine speaks with one reference clip")
        try:
            ids = [int(part) for part in segment.spoken.split()]
        except ValueError as error:
            raise BadSegment("the segment's text is not in token ids") from error
        if segment.emotion and segment.emotion.vector and len(segment.emotion.vector) != len(EMOTIONS):
            raise BadSegment(f"an emotion vector has {len(EMOTIONS)} weights")
        key = segment.voices[0].key
        params = segment.params
        most = min(params.get("max_codes", 1500), max(1, int(segment.max_seconds * codes_per_second)))
        sampling = Sampling(
            temperature=params.get("temperature", 0.8),
            top_p=params.get("top_p", 0.8),
            top_k=int(params.get("top_k", 30)),
            repetition_penalty=params.get("repetition_penalty", 10.0),
            max_codes=int(most),
            seed=segment.seed,
            greedy=greedy,
        )
        clip = segment.emotion.clip if segment.emotion else None
        factor = params.get("duration_factor", 1.0) / params.get("speed", 1.0)
        return cls(
            segment,
            ids,
            sampling,
            own=((key, "speaker"), (key, "emotion")),
            other=((clip, "emotion"),) if clip else (),
            steps=int(params.get("diffusion_steps", STEPS)),
            guidance=params.get("guidance", GUIDANCE),
            factor=min(SLOWEST, factor),
        )

    @property
    def id(self) -> str:
        """The segment's."""
        return self.segment.id

    @property
    def items(self) -> tuple[Item, ...]:
        """The clips that must have been encoded before it can be spoken."""
        return self.own + self.other

    @property
    def description(self) -> str:
        """The words that say how; "" where there are none."""
        emotion = self.segment.emotion
        return emotion.text or "" if emotion else ""

    @property
    def first(self) -> bool:
        """Whether somebody waits for the first sound of a request."""
        return self.segment.id.endswith("/0")

    def mix(
        self, mixer: EmotionMixer, own: Tensor, other: Tensor | None, described: tuple[float, ...] | None
    ) -> None:
        """Make ``emovec`` of the clips' emotions [D] and the ``described`` weights, by the packages' rules."""
        assert self.voice is not None
        emotion = self.segment.emotion or Emotion()
        vector = described or emotion.vector
        if vector is not None:
            seed = self.segment.seed if emotion.random else None
            self.emovec = mixer.from_vector(self.voice, own, vector, emotion.weight, seed)
        elif other is not None:
            self.emovec = mixer.from_clip(self.voice, other, emotion.weight)
        else:
            self.emovec = mixer.from_clip(self.voice, own)
