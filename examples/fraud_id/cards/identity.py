"""Fictitious people: the texts on a card, and the face of its holder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

_SURNAMES = Path(__file__).with_name("surnames.txt").read_text("utf-8").split()
_GIVEN_NAMES = Path(__file__).with_name("given_names.txt").read_text("utf-8").split()
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_SKINS = (
    (250, 220, 196),
    (238, 200, 168),
    (222, 178, 140),
    (196, 146, 106),
    (150, 104, 72),
    (104, 70, 50),
)
_HAIRS = (
    (28, 22, 20),
    (58, 38, 26),
    (98, 66, 38),
    (150, 108, 58),
    (206, 170, 104),
    (132, 60, 34),
    (158, 156, 154),
)
_EYES = ((74, 48, 28), (54, 36, 24), (66, 100, 128), (84, 112, 74), (110, 116, 120))
_CLOTHES = (
    (36, 44, 66),
    (92, 32, 40),
    (40, 78, 66),
    (70, 70, 76),
    (150, 140, 126),
    (112, 88, 130),
    (30, 30, 32),
)
_BACKDROPS = ((214, 222, 230), (226, 226, 222), (204, 214, 216), (230, 220, 210), (208, 208, 222))

Color = tuple[int, int, int]
_T = TypeVar("_T")


@dataclass(frozen=True)
class Look:
    """Parameters of a drawn face. Lengths are fractions of the portrait's width."""

    skin: Color
    hair: Color
    hair_style: str
    eyes: Color
    clothes: Color
    clothes_style: str
    backdrop: Color
    glasses: str
    beard: str
    face_width: float
    face_height: float
    jaw: float
    eye_gap: float
    eye_size: float
    brow: float
    nose: float
    mouth: float
    smile: float


@dataclass(frozen=True)
class Identity:
    """One fictitious person: field values of the card, face, and seed of the signature."""

    person: int
    fields: dict[str, str]
    look: Look
    signature_seed: int


def make_identity(person: int) -> Identity:
    """Return the person with this number, which is the same in every dataset.

    Args:
        person: Person number, at least 0.

    Returns:
        Field values by field name (see layout.FIELDS), and the look.
    """
    rng = np.random.default_rng([0x51, person])
    birth_year = int(rng.integers(1945, 2006))
    issue_year = int(rng.integers(2018, 2026))
    issue_day = f"{rng.integers(1, 29):02d} {_MONTHS[rng.integers(12)]}"
    letters = "".join("ABCDEFGHKLMNPRSTUVWXYZ"[i] for i in rng.integers(0, 22, 2))
    digits = f"{rng.integers(0, 10**8):08d}"
    given = _pick(rng, _GIVEN_NAMES)
    if len(given) <= 5 and rng.random() < 0.6:
        given = f"{given} {_pick(rng, [name for name in _GIVEN_NAMES if len(name) <= 5])}"
    fields = {
        "surname": _pick(rng, _SURNAMES),
        "given_names": given,
        "birth": f"{rng.integers(1, 29):02d} {_MONTHS[rng.integers(12)]} {birth_year}",
        "sex": _pick(rng, ("F", "M", "X")),
        "issued": f"{issue_day} {issue_year}",
        "expires": f"{issue_day} {issue_year + 10}",
        "number": f"{letters} {digits[:4]} {digits[4:]}",
    }
    return Identity(person, fields, _make_look(rng), int(rng.integers(2**31)))


def _make_look(rng: np.random.Generator) -> Look:
    def shade(color: Color, spread: int) -> Color:
        red, green, blue = (
            int(np.clip(c + rng.integers(-spread, spread + 1), 0, 255)) for c in color
        )
        return red, green, blue

    return Look(
        skin=shade(_pick(rng, _SKINS), 10),
        hair=shade(_pick(rng, _HAIRS), 12),
        hair_style=_pick(rng, ("short", "side", "long", "bob", "curly", "bun", "bald")),
        eyes=shade(_pick(rng, _EYES), 10),
        clothes=shade(_pick(rng, _CLOTHES), 16),
        clothes_style=_pick(rng, ("suit", "crew", "v-neck", "collar")),
        backdrop=shade(_pick(rng, _BACKDROPS), 6),
        glasses=_pick(rng, ("none", "none", "none", "round", "square")),
        beard=_pick(rng, ("none", "none", "none", "stubble", "full", "moustache")),
        face_width=float(rng.uniform(0.40, 0.48)),
        face_height=float(rng.uniform(0.56, 0.64)),
        jaw=float(rng.uniform(0.60, 0.90)),
        eye_gap=float(rng.uniform(0.095, 0.120)),
        eye_size=float(rng.uniform(0.040, 0.054)),
        brow=float(rng.uniform(0.010, 0.022)),
        nose=float(rng.uniform(0.035, 0.055)),
        mouth=float(rng.uniform(0.070, 0.100)),
        smile=float(rng.uniform(-0.010, 0.030)),
    )


def _pick(rng: np.random.Generator, choices: Sequence[_T]) -> _T:
    return choices[int(rng.integers(len(choices)))]
