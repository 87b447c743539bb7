"""Spanish: what is written in figures, in words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index_tts_ui.text.spanish import normalise_es
from index_tts_ui.text.spanish_numbers import LARGEST, es_cardinal, es_ordinal


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "cero"),
        (16, "dieciséis"),
        (31, "treinta y uno"),
        (100, "cien"),
        (101, "ciento uno"),
        (500, "quinientos"),
        (1_000, "mil"),
        (21_000, "veintiún mil"),
        (2026, "dos mil veintiséis"),
        (1_000_000, "un millón"),
        (31_000_001, "treinta y un millones uno"),
        (
            123_456_789_012,
            "ciento veintitrés mil cuatrocientos cincuenta y seis millones setecientos ochenta y nueve mil doce",
        ),
    ],
)
def test_cardinals(number: int, said: str) -> None:
    assert es_cardinal(number) == said


@given(st.integers(0, LARGEST - 1), st.sampled_from(["", "m", "f"]))
def test_every_number_has_words(number: int, gender: str) -> None:
    assert re.fullmatch(r"[a-záéíóúñ]+(?: [a-záéíóúñ]+)*", es_cardinal(number, gender))


@given(st.text("0123456789.,:-/%€$ kmaº°²\u00a0", max_size=30))
def test_no_figure_is_left(text: str) -> None:
    assert not re.search(r"\d", normalise_es(text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "El 21/11/2026 a las 14:30 h.",
            "El veintiuno de noviembre de dos mil veintiséis a las catorce treinta horas.",
        ),
        ("el 1/5/2024", "el primero de mayo de dos mil veinticuatro"),
        ("Cuesta 5,50 €.", "Cuesta cinco euros con cincuenta céntimos."),
        ("$1.200 o $3 millones", "mil doscientos dólares o tres millones de dólares"),
        ("un 25% de 21 casas y 21 libros", "un veinticinco por ciento de veintiuna casas y veintiún libros"),
        ("1 casa, 1 día, 200 personas", "una casa, un día, doscientas personas"),
        ("-5 °C", "menos cinco grados Celsius"),
        ("3,14 y 0,05", "tres coma catorce y cero coma cero cinco"),
        (
            "1.234.567 y 1,234.5",
            "un millón doscientos treinta y cuatro mil quinientos sesenta y siete y mil doscientos treinta y cuatro punto cinco",
        ),
        ("120 km/h, 5-10 kg", "ciento veinte kilómetros por hora, cinco a diez kilos"),
        ("el 1.º, la 2ª vez, 3er piso", "el primero, la segunda vez, tercer piso"),
        ("El Sr. García y la Dra. Paz, EE. UU.", "El señor García y la doctora Paz, Estados Unidos"),
        ("007", "cero cero siete"),
        ("yo@uno.es", "yo arroba uno punto es"),
        ("Hola, ¿qué tal?", "Hola, ¿qué tal?"),
    ],
)
def test_sentences(text: str, said: str) -> None:
    assert normalise_es(text) == said


def test_ordinals_end_at_ten() -> None:
    assert [es_ordinal(1, short=True), es_ordinal(10, feminine=True), es_ordinal(11)] == [
        "primer",
        "décima",
        "once",
    ]
