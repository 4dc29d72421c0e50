// Colours of classes: as different as possible, and legible on the page's background.

// Chosen by eye for few classes: [lightness on white, lightness on black, chroma, hue] of OKLCH.
const FEW = [
  [0.55, 0.7, 0.17, 255], [0.64, 0.76, 0.17, 50], [0.56, 0.74, 0.14, 150], [0.55, 0.7, 0.2, 25],
  [0.52, 0.7, 0.2, 305], [0.66, 0.8, 0.12, 200], [0.72, 0.85, 0.15, 95], [0.62, 0.76, 0.2, 350],
];
const LIGHT = [0.6, 0.46, 0.72];
const DARK = [0.72, 0.84, 0.6];
const GOLDEN_ANGLE = 137.508;

function classColours(count, dark) {
  return Array.from({ length: count }, (_, i) => {
    if (count <= FEW.length) {
      const [onWhite, onBlack, chroma, hue] = FEW[i];
      return toRgb(dark ? onBlack : onWhite, chroma, hue);
    }
    // Similar names are neighbours in the alphabet (Apple 1, Apple 2), so they get different hues.
    const chroma = [0.17, 0.13, 0.15][i % 3];
    return toRgb((dark ? DARK : LIGHT)[i % 3], chroma, 30 + i * GOLDEN_ANGLE);
  });
}

// OKLCH to sRGB, with less chroma if sRGB has no such colour.
function toRgb(lightness, chroma, hue) {
  const angle = (hue * Math.PI) / 180;
  for (let c = chroma; ; c *= 0.9) {
    const a = c * Math.cos(angle), b = c * Math.sin(angle);
    const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
    const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
    const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
    const linear = [
      4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
      -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
      -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
    ];
    if (c < 0.01 || linear.every((v) => v >= -0.001 && v <= 1.001)) {
      return linear.map((v) => {
        const x = Math.min(Math.max(v, 0), 1);
        return Math.round(255 * (x <= 0.0031308 ? 12.92 * x : 1.055 * x ** (1 / 2.4) - 0.055));
      });
    }
  }
}

const css = ([r, g, b]) => `rgb(${r} ${g} ${b})`;

// A colour of the style sheet, such as --ground, as three numbers.
function styleColour(name) {
  const text = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
}
