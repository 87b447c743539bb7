"""A request's own readings: a list of objects, or an object of words and readings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema

from ..reading_door import GLOSSARY_MOST, SAID_MOST, WORD_MOST
from ..speech import Reading
from .fields import Body, Language, Text

Word = Annotated[
    Text,
    Field(
        max_length=WORD_MOST,
        description="As it stands in texts, in any case; a Latin word counts as a whole word only.",
    ),
]
Said = Annotated[
    Text,
    Field(
        max_length=SAID_MOST,
        description="Other text, read as if it stood there; pinyin with tone numbers (`chong2 qing4`); or phonemes "
        "(ARPAbet, `M IH1 N AH0 T`; Kokoro takes IPA, too).",
    ),
]
Kind = Annotated[
    Literal["respelling", "pinyin", "phonemes"], Field(description="What `said` is, of what the engine has.")
]
ReadingLanguage = Annotated[
    Language, Field(description="Counts in sentences of this language only; absent: in all.")
]


class ReadingBody(Body):
    """How to say a word."""

    model_config = ConfigDict(extra="forbid")  # a kind that is mistyped must not pass unnoticed

    word: Word
    said: Said
    kind: Kind = "respelling"
    language: ReadingLanguage = ""

    @property
    def reading(self) -> Reading:
        """As the service takes it."""
        return Reading(self.word, self.said, self.kind, self.language)


def _list(value: Any) -> Any:
    if isinstance(value, Mapping):
        return [{"word": word, "said": said} for word, said in value.items()]
    return value


Glossary = Annotated[
    Annotated[tuple[ReadingBody, ...], Field(max_length=GLOSSARY_MOST)],
    BeforeValidator(_list),
    WithJsonSchema(
        {
            "anyOf": [
                {
                    "type": "array",
                    "maxItems": GLOSSARY_MOST,
                    "items": {
                        "type": "object",
                        "required": ["word", "said"],
                        "properties": {
                            "word": {"type": "string", "maxLength": WORD_MOST},
                            "said": {"type": "string", "maxLength": SAID_MOST},
                            "kind": {"enum": ["respelling", "pinyin", "phonemes"]},
                            "language": {"type": "string"},
                        },
                    },
                },
                {"type": "object", "additionalProperties": {"type": "string"}},
            ],
            "examples": [[{"word": "NVMe", "said": "N V M E"}], {"M.2": "M dot two"}],
            "description": "How to say words, for this request alone; goes before the dictionary. A list of "
            "{word, said, kind, language}, or {word: respelling}.",
        }
    ),
]
UseDictionary = Annotated[
    bool, Field(strict=True, description="false: the dictionary (/v1/audio/dictionary) is left out.")
]


def readings(glossary: Glossary) -> tuple[Reading, ...]:
    """As the service takes them; it checks them."""
    return tuple(item.reading for item in glossary)
