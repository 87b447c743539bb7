"""What each version's GPT is fed and gives back: one adapter a version over the package's ``UnifiedVoice``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .pinned import upload
from .transformer import Transformer
from .types import Voice

LATENT_POSITIONS = 16_384  # padded positions of one latent pass: what bounds its memory

LatentRow = tuple[Voice, Tensor, Sequence[int], Tensor]  # voice, emotion [D], text ids, codes [n]


class Gpt:
    """What both versions share. D is the width, V the codes with start and stop.

    ``lead``: how many mel positions the first code stands behind the start code.
    """

    lead = 1

    def __init__(self, gpt: Any, dtype: torch.dtype | None = None) -> None:
        weight = gpt.mel_embedding.weight
        self.gpt = gpt
        self.device: torch.device = weight.device
        self.dtype: torch.dtype = dtype or weight.dtype
        self.transformer = Transformer(gpt.gpt, gpt.heads)
        self.layers, self.heads, self.width = self.transformer.layers, gpt.heads, gpt.model_dim
        self.start, self.stop = gpt.start_mel_token, gpt.stop_mel_token
        self.vocabulary = gpt.number_mel_codes
        self.max_codes = min(gpt.max_mel_tokens, gpt.mel_pos_embedding.emb.num_embeddings - self.lead)
        self.max_text = gpt.text_pos_embedding.emb.num_embeddings - 2  # start and stop take a place each
        self._start = torch.tensor([self.start], device=self.device)
        # In float32 also beside a smaller model: bf16 logits have so few values that codes tie.
        self._head = (gpt.mel_head.weight.detach().float(), gpt.mel_head.bias.detach().float())

    @torch.no_grad()
    def prefix(self, text_ids: Sequence[int], language: str, voice: Voice, emotion: Tensor) -> Tensor:
        """All that stands before the first code, with the start code: [S, D].

        ``language`` as "zh", "en", ...; ``emotion`` [D], mixed (see ``emotion``).

        Raises:
            ValueError: the text is too long for the model's positions, or has ids that it does not know.
        """
        text = self._text(self._spoken(text_ids), language)
        return torch.cat([self._condition(voice, emotion), text, self._codes(self._start, 0)]).to(self.dtype)

    def prefix_length(self, text_ids: Sequence[int]) -> int:
        """S of :meth:`prefix`, without computing it."""
        return self._condition_length() + len(self._spoken(text_ids)) + 3

    def code_embeds(self, codes: Tensor, step: Tensor) -> Tensor:
        """Embeddings [B, D] of ``codes`` [B], each its row's code number ``step`` [B], counted from 0."""
        return self.gpt.mel_embedding(codes) + self.gpt.mel_pos_embedding.emb(step + self.lead)

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores [B, V] float32 of the next code, from the transformer's ``hidden`` [B, D]."""
        return F.linear(self.gpt.final_norm(hidden).float(), *self._head)

    @torch.no_grad()
    def emovec(self, features: Tensor) -> Tensor:
        """The emotion [D] float32 in a clip's semantic ``features`` [1, T, 1024]."""
        features = features.to(self.gpt.emo_layer.weight.dtype)
        return self.gpt.get_emovec(features, self._width_of(features))[0].float()

    def speaker_latent(self, source: Tensor) -> Tensor:
        """A voice's ``latent`` [K, D] float32: of its features [1, T, 1024] (v2) or its style [192] (v2.5)."""
        raise NotImplementedError

    def latents(self, rows: Sequence[LatentRow]) -> list[Tensor]:
        """Each row's latents [n, D] float32, one a code (v2 only)."""
        raise NotImplementedError

    def _condition(self, voice: Voice, emotion: Tensor) -> Tensor:
        """What stands before the text: [K + 2, D]."""
        raise NotImplementedError

    def _condition_length(self) -> int:
        raise NotImplementedError

    def _spoken(self, text_ids: Sequence[int]) -> list[int]:
        """``text_ids`` without those that the package takes for padding."""
        return [item for item in text_ids if item != self.gpt.stop_text_token]

    def _text(self, text_ids: Sequence[int], language: str) -> Tensor:
        """Embeddings [n + 2, D] of the text between its start and stop."""
        self._check(text_ids)
        ids = [self.gpt.start_text_token, *text_ids, self.gpt.stop_text_token]
        places = torch.arange(len(ids), device=self.device)
        text = self.gpt.text_embedding(upload(ids, self.device))
        return text + self.gpt.text_pos_embedding.emb(places)

    def _check(self, text_ids: Sequence[int]) -> None:
        """Here, since a GPU's answer to a wrong index is to end the whole process."""
        if len(text_ids) > self.max_text:
            raise ValueError(f"the segment has {len(text_ids)} text tokens, the model takes {self.max_text}")
        known = self.gpt.text_embedding.num_embeddings
        strange = [item for item in text_ids if not 0 <= item < known]
        if strange:
            raise ValueError(f"the model has no text token {strange[0]} (it has {known})")

    def _codes(self, codes: Tensor, first: int) -> Tensor:
        """Embeddings [n, D] of ``codes`` [n] at mel positions from ``first`` on."""
        places = torch.arange(first, first + len(codes), device=self.device)
        return self.gpt.mel_embedding(codes) + self.gpt.mel_pos_embedding.emb(places)

    def _mixed(self, voice: Voice, emotion: Tensor) -> Tensor:
        """The voice's latent with the emotion: [K, D] in the model's numbers."""
        return (voice.latent + emotion).to(self.dtype)

    def _width_of(self, features: Tensor) -> Tensor:
        # The packages give the number of channels where the number of frames is meant: with 15 s of clip
        # (750 frames) both leave everything unmasked.
        return torch.tensor([features.shape[-1]], device=features.device)


class Gpt25(Gpt):
    """IndexTTS-2.5: style and emotion, two empty places, text with its language."""

    @torch.no_grad()
    def speaker_latent(self, source: Tensor) -> Tensor:
        """[1, D] of a clip's style [192]."""
        layer = self.gpt.spk_emb_proj
        return layer(source.reshape(1, -1).to(layer.weight.dtype)).float()

    def _condition(self, voice: Voice, emotion: Tensor) -> Tensor:
        return F.pad(self._mixed(voice, emotion), (0, 0, 0, 2))

    def _condition_length(self) -> int:
        return 3

    def _text(self, text_ids: Sequence[int], language: str) -> Tensor:
        from indextts25.utils.tokenizer import lang_to_token

        place = lang_to_token(language.split("-")[0])
        return super()._text(text_ids, language) + self.gpt.lang_embedding.weight[place]


class Gpt2(Gpt):
    """IndexTTS-2: 32 places of voice with emotion, two of speed, text.

    While it decodes, this package puts the first code two places behind the start code, and one place behind
    in the latent pass. Its weights are used like that, so both stay.
    """

    lead = 2

    @torch.no_grad()
    def speaker_latent(self, source: Tensor) -> Tensor:
        """[32, D] of a clip's semantic features [1, T, 1024]."""
        source = source.to(self.gpt.emo_layer.weight.dtype)
        return self.gpt.get_conditioning(source.transpose(1, 2), self._width_of(source))[0].float()

    @torch.no_grad()
    def latents(self, rows: Sequence[LatentRow]) -> list[Tensor]:
        """See ``Gpt``. A row without codes has none: [0, D].

        A row is padded behind its end, where causal attention never looks; the last code and the stop code,
        whose latents the package computes and drops, are left out for the same reason.
        """
        found = [torch.zeros(0, self.width, device=self.device) for _ in rows]
        inputs = [(at, self._spelt(row)) for at, row in enumerate(rows) if len(row[3])]
        for group in _groups(inputs):
            lengths = [len(x) for _, x in group]
            padded = torch.nn.utils.rnn.pad_sequence([x for _, x in group], batch_first=True)
            hidden = self.gpt.final_norm(self.transformer.causal(padded))
            for (at, _), line, length in zip(group, hidden, lengths, strict=True):
                found[at] = line[length - len(rows[at][3]) : length].float()
        return found

    def _spelt(self, row: LatentRow) -> Tensor:
        """The input of the latent pass: condition, text as it is, the codes one place late."""
        voice, emotion, text_ids, codes = row
        spoken = self._codes(torch.cat([self._start, codes[:-1]]), 0)
        return torch.cat([self._condition(voice, emotion), self._text(text_ids, ""), spoken])

    def _condition(self, voice: Voice, emotion: Tensor) -> Tensor:
        return torch.cat([self._mixed(voice, emotion), self.gpt.speed_emb.weight.flip(0).to(self.dtype)])

    def _condition_length(self) -> int:
        return self.gpt.cond_num + 2

    def _spoken(self, text_ids: Sequence[int]) -> list[int]:
        return [item for item in super()._spoken(text_ids) if item != self.gpt.start_text_token]


def _groups(inputs: Iterable[tuple[int, Tensor]]) -> Iterator[list[tuple[int, Tensor]]]:
    """Rows of like length together, within the memory of one pass."""
    group: list[tuple[int, Tensor]] = []
    for item in sorted(inputs, key=lambda item: len(item[1])):
        if group and (len(group) + 1) * len(item[1]) > LATENT_POSITIONS:
            yield group
            group = []
        group.append(item)
    if group:
        yield group


def adapter(version: str, gpt: Any, dtype: torch.dtype | None = None) -> Gpt:
    """The adapter of ``version`` "2" or "2.5"."""
    return {"2": Gpt2, "2.5": Gpt25}[version](gpt, dtype)
