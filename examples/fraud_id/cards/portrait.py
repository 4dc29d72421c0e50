"""Draws portraits: a face from its Look, with soft shading, in the pose of a passport photo."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from cards.identity import Color, Look

_SCALE = 2  # drawn at twice the size, for smooth edges


def draw_portrait(look: Look, width: int, height: int) -> Image.Image:
    """Draw a passport photo.

    Args:
        look: The face. The same look always gives the same image.
        width: Width in pixels, at least 32.
        height: Height in pixels, about 1.28 times the width.

    Returns:
        RGB, (height, width).
    """
    sketch = _Sketch(look, width * _SCALE, height * _SCALE)
    for part in (
        sketch.hair_behind,
        sketch.body,
        sketch.head,
        sketch.features,
        sketch.beard,
        sketch.hair_before,
        sketch.glasses,
    ):
        part()
    return sketch.image.resize((width, height), Image.Resampling.BOX)


def _mix(color: Color, other: Color, share: float) -> Color:
    red, green, blue = (int(a * (1 - share) + b * share) for a, b in zip(color, other, strict=True))
    return red, green, blue


class _Sketch:
    """An image in progress; x and y start at 0 and are in units of the image's width."""

    def __init__(self, look: Look, width: int, height: int) -> None:
        self.look = look
        self.unit = width
        light = np.linspace(1.04, 0.9, height)[:, None, None]
        backdrop = np.clip(light * np.array(look.backdrop), 0, 255).astype(
            np.uint8
        )  # (height, 1, 3)
        self.image = Image.fromarray(backdrop).resize((width, height), Image.Resampling.NEAREST)
        self.draw = ImageDraw.Draw(self.image)
        self.dark = _mix(look.skin, (70, 30, 20), 0.35)
        self.cx, self.cy = 0.5, 0.58

    def hair_behind(self) -> None:
        face, tall = self.look.face_width / 2, self.look.face_height / 2
        if self.look.hair_style == "long":
            self._ellipse(self.cx, self.cy + 0.10, face + 0.10, tall + 0.20, self.look.hair)
        elif self.look.hair_style == "bob":
            self._ellipse(self.cx, self.cy - 0.01, face + 0.09, tall + 0.04, self.look.hair)
        elif self.look.hair_style == "bun":
            self._ellipse(self.cx, self.cy - tall - 0.07, 0.10, 0.09, self.look.hair)
        elif self.look.hair_style == "curly":
            for turn in np.linspace(np.pi * 0.9, np.pi * 2.1, 13):
                x = self.cx + (face + 0.02) * np.cos(turn)
                self._ellipse(x, self.cy - 0.05 + tall * np.sin(turn), 0.085, 0.085, self.look.hair)

    def body(self) -> None:
        look = self.look
        shoulders = [
            (0.5 - 0.13, 0.90),
            (0.5 + 0.13, 0.90),
            (0.86, 1.02),
            (0.97, 1.30),
            (0.03, 1.30),
            (0.14, 1.02),
        ]
        self._polygon(shoulders, look.clothes)
        self._polygon(
            [(0.40, 0.74), (0.60, 0.74), (0.63, 0.97), (0.37, 0.97)],
            _mix(look.skin, self.dark, 0.45),
        )
        self._ellipse(0.5, 0.94, 0.13, 0.07, _mix(look.skin, self.dark, 0.3))
        shade = _mix(look.clothes, (0, 0, 0), 0.35)
        white = (232, 232, 228)
        if look.clothes_style == "suit":
            self._polygon([(0.37, 0.93), (0.63, 0.93), (0.5, 1.30)], white)
            self._polygon([(0.47, 1.00), (0.53, 1.00), (0.55, 1.30), (0.45, 1.30)], shade)
            self._polygon([(0.36, 0.91), (0.29, 1.02), (0.5, 1.30)], shade)
            self._polygon([(0.64, 0.91), (0.71, 1.02), (0.5, 1.30)], shade)
        elif look.clothes_style == "v-neck":
            self._polygon([(0.38, 0.92), (0.62, 0.92), (0.5, 1.12)], look.skin)
        elif look.clothes_style == "collar":
            self._polygon([(0.37, 0.90), (0.5, 1.03), (0.40, 1.10), (0.31, 0.98)], white)
            self._polygon([(0.63, 0.90), (0.5, 1.03), (0.60, 1.10), (0.69, 0.98)], white)

    def head(self) -> None:
        look = self.look
        face, tall = look.face_width / 2, look.face_height / 2
        for side in (-1, 1):
            self._ellipse(
                self.cx + side * face, self.cy + 0.01, 0.035, 0.065, _mix(look.skin, self.dark, 0.3)
            )
        turns = np.linspace(0, 2 * np.pi, 60, endpoint=False)
        outline = []
        for turn in turns:
            squeeze = 1 - (1 - look.jaw) * max(0.0, float(np.sin(turn))) ** 2 * 0.55
            outline.append((self.cx + face * squeeze * np.cos(turn), self.cy + tall * np.sin(turn)))
        self._polygon(outline, look.skin)
        shadow = Image.new("L", self.image.size, 0)
        pen = ImageDraw.Draw(shadow)
        pen.polygon(self._points(outline), fill=90)
        lit = [(x - 0.035, y - 0.03) for x, y in outline]
        pen.polygon(self._points(lit), fill=0)
        shadow = shadow.filter(ImageFilter.BoxBlur(self.unit * 0.02))
        self.image.paste(Image.new("RGB", self.image.size, self.dark), mask=shadow)
        for side in (-1, 1):
            blush = _mix(look.skin, (226, 110, 96), 0.14)
            self._ellipse(self.cx + side * 0.115, self.cy + 0.10, 0.045, 0.032, blush)

    def features(self) -> None:
        look, line = self.look, max(2, int(self.unit * 0.008))
        eye_y = self.cy - 0.03
        for side in (-1, 1):
            x = self.cx + side * look.eye_gap
            self._ellipse(x, eye_y, look.eye_size, look.eye_size * 0.55, (244, 242, 238))
            self._ellipse(x, eye_y, look.eye_size * 0.5, look.eye_size * 0.5, look.eyes)
            self._ellipse(x, eye_y, look.eye_size * 0.24, look.eye_size * 0.24, (14, 12, 12))
            self._arc(x, eye_y, look.eye_size, look.eye_size * 0.6, (190, 350), (40, 26, 22), line)
            self._arc(
                x,
                eye_y - 0.022,
                look.eye_size * 1.3,
                look.eye_size * 0.9,
                (200, 340),
                _mix(look.hair, (20, 14, 10), 0.4),
                int(self.unit * look.brow),
            )
        self._arc(
            self.cx + 0.01, self.cy + 0.03, look.nose * 0.7, 0.075, (280, 80), self.dark, line
        )
        self._arc(self.cx, self.cy + 0.10, look.nose, 0.018, (10, 170), self.dark, line)
        lips = _mix(look.skin, (168, 52, 56), 0.55)
        mouth_y = self.cy + 0.175
        self._ellipse(self.cx, mouth_y, look.mouth, 0.020, lips)
        self._arc(
            self.cx,
            mouth_y - look.smile,
            look.mouth,
            0.006 + abs(look.smile),
            (5, 175),
            _mix(lips, (60, 10, 16), 0.6),
            line,
        )

    def beard(self) -> None:
        look = self.look
        if look.beard == "none":
            return
        mask = Image.new("L", self.image.size, 0)
        pen = ImageDraw.Draw(mask)
        face, tall = look.face_width / 2, look.face_height / 2
        if look.beard == "moustache":
            pen.ellipse(self._box(self.cx, self.cy + 0.142, look.mouth * 1.1, 0.022), fill=230)
        else:
            strength = 230 if look.beard == "full" else 70
            pen.ellipse(self._box(self.cx, self.cy + 0.07, face * 0.93, tall * 0.80), fill=strength)
            pen.ellipse(self._box(self.cx, self.cy - 0.05, face * 1.02, tall * 0.58), fill=0)
            pen.ellipse(self._box(self.cx, self.cy + 0.175, look.mouth * 1.05, 0.026), fill=0)
        mask = mask.filter(ImageFilter.BoxBlur(self.unit * 0.006))
        self.image.paste(Image.new("RGB", self.image.size, look.hair), mask=mask)

    def hair_before(self) -> None:
        look = self.look
        face, tall = look.face_width / 2, look.face_height / 2
        top = self.cy - tall
        if look.hair_style == "bald":
            return
        lift = {"short": 0.15, "side": 0.20, "long": 0.18, "bob": 0.22, "curly": 0.17, "bun": 0.14}
        brim = top + lift[look.hair_style]
        part = self.cx - (0.10 if look.hair_style in ("side", "long") else 0.0)
        cap = [
            (self.cx + (face + 0.025) * np.cos(turn), self.cy - 0.03 + (tall + 0.01) * np.sin(turn))
            for turn in np.linspace(np.pi, 2 * np.pi, 30)
        ]
        fringe = [
            (self.cx + face * 0.9, brim),
            (part + 0.08, brim - 0.05),
            (part, brim - 0.08),
            (part - 0.06, brim - 0.04),
            (self.cx - face * 0.9, brim),
        ]
        self._polygon([*cap, *fringe], look.hair)
        shine = _mix(look.hair, (255, 255, 255), 0.16)
        self._arc(
            self.cx - 0.03, top + 0.10, face * 0.7, 0.07, (205, 320), shine, int(self.unit * 0.014)
        )

    def glasses(self) -> None:
        if self.look.glasses == "none":
            return
        line, frame = max(2, int(self.unit * 0.009)), (34, 30, 34)
        gap, y = self.look.eye_gap, self.cy - 0.03
        for side in (-1, 1):
            box = self._box(self.cx + side * gap, y, 0.078, 0.062)
            if self.look.glasses == "round":
                self.draw.ellipse(box, outline=frame, width=line)
            else:
                self.draw.rounded_rectangle(
                    box, radius=int(self.unit * 0.02), outline=frame, width=line
                )
        bridge = [(self.cx - gap + 0.078, y), (self.cx + gap - 0.078, y)]
        self.draw.line(self._points(bridge), fill=frame, width=line)

    def _points(self, points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(x * self.unit, y * self.unit) for x, y in points]

    def _box(self, x: float, y: float, rx: float, ry: float) -> tuple[float, float, float, float]:
        unit = self.unit
        return (x - rx) * unit, (y - ry) * unit, (x + rx) * unit, (y + ry) * unit

    def _ellipse(self, x: float, y: float, rx: float, ry: float, fill: Color) -> None:
        self.draw.ellipse(self._box(x, y, rx, ry), fill=fill)

    def _arc(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        degrees: tuple[int, int],
        fill: Color,
        width: int,
    ) -> None:
        self.draw.arc(self._box(x, y, rx, ry), *degrees, fill=fill, width=width)

    def _polygon(self, points: list[tuple[float, float]], fill: Color) -> None:
        self.draw.polygon(self._points(points), fill=fill)
