"""ICC profiles of cameras and printers, made from their published numbers."""

import struct

import numpy as np

# Primaries and white point of each space, CIE x and y.
_D65 = (0.3127, 0.3290)
PRIMARIES = {
    "sRGB": ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)),
    "Display P3": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    "Adobe RGB (1998)": ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)),
}
_D50 = np.array([0.9642, 1.0, 0.8249])  # of the profile connection space
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def srgb_curve(steps: int = 1024) -> np.ndarray:
    """Linear light 0..1 for evenly spaced values."""
    value = np.linspace(0, 1, steps)
    light: np.ndarray = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return light


def rgb_profile(name: str) -> bytes:
    """A matrix profile; sRGB and Display P3 have the curve of sRGB, Adobe RGB a gamma."""
    matrix = _to_d50(PRIMARIES[name])
    gamma = 563 / 256 if name.startswith("Adobe") else None
    curve = _gamma(gamma) if gamma else _table(srgb_curve())
    tags = {f"{c}XYZ".encode(): _xyz(matrix[:, i]) for i, c in enumerate("rgb")}
    tags |= {f"{c}TRC".encode(): curve for c in "rgb"}
    return _profile(b"RGB ", name, tags)


def grey_profile(gamma: float) -> bytes:
    """A scanner's grey profile: one curve."""
    return _profile(b"GRAY", f"Gray gamma {gamma}", {b"kTRC": _gamma(gamma)})


def black_ink_profile() -> bytes:
    """A CMYK profile in which only black has an effect: its lightness goes from 100 to 0."""
    steps = np.arange(256, dtype=np.uint8).tobytes()
    grid = b"".join(bytes([0 if i % 2 else 255, 128, 128]) for i in range(16))  # Lab, K fastest
    identity = b"".join(_fixed(value) for value in np.eye(3).ravel())
    lut = struct.pack(">4s4xBBBx", b"mft1", 4, 3, 2) + identity + 4 * steps + grid + 3 * steps
    return _profile(b"CMYK", "Only black is seen", {b"A2B0": lut}, b"Lab ")


def in_space(name: str, colours: np.ndarray) -> np.ndarray:
    """The 8-bit values that sRGB colours have in another space; (…, 3) of 0..1, in gamut."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    other = linear @ (np.linalg.inv(_to_d50(PRIMARIES[name])) @ _to_d50(PRIMARIES["sRGB"])).T
    other = np.clip(other, 0, 1)
    if name.startswith("Adobe"):
        encoded = other ** (256 / 563)
    else:
        encoded = np.where(other <= 0.0031308, other * 12.92, 1.055 * other ** (1 / 2.4) - 0.055)
    values: np.ndarray = np.round(encoded * 255).astype(np.uint8)
    return values


def _to_d50(primaries: tuple[tuple[float, float], ...]) -> np.ndarray:
    def xyz(x: float, y: float) -> np.ndarray:
        return np.array([x / y, 1.0, (1 - x - y) / y])

    white = xyz(*_D65)
    columns = np.stack([xyz(*point) for point in primaries], axis=1)
    matrix = columns * np.linalg.solve(columns, white)
    cone = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    adapted: np.ndarray = np.linalg.inv(_BRADFORD) @ np.diag(cone) @ _BRADFORD @ matrix
    return adapted


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _xyz(values: np.ndarray) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(_fixed(value) for value in values)


def _gamma(gamma: float) -> bytes:
    return struct.pack(">4s4xIH2x", b"curv", 1, round(gamma * 256))


def _table(curve: np.ndarray) -> bytes:
    values = np.round(curve * 65535).astype(">u2")
    return struct.pack(">4s4xI", b"curv", len(values)) + values.tobytes()


def _profile(
    space: bytes, name: str, tags: dict[bytes, bytes], connection: bytes = b"XYZ "
) -> bytes:
    text = name.encode() + b"\0"
    desc = struct.pack(">4s4xI", b"desc", len(text)) + text + bytes(78)
    tags = {b"desc": desc, b"wtpt": _xyz(_D50), b"cprt": b"text\0\0\0\0none\0", **tags}
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for tag, value in tags.items():
        table += struct.pack(">4sII", tag, start + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    head = struct.pack(
        ">I4xI4s4s4s12x4s", start + len(body), 0x02400000, b"mntr", space, connection, b"acsp"
    )
    head += bytes(28) + b"".join(_fixed(value) for value in _D50)
    return head.ljust(128, b"\0") + table + body
