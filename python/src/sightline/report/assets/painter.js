// Draws points as pixels, in a tenth of the time of canvas circles (2 to 3 µs each without a GPU).

const SHAPES = {
  circle: (x, y, r) => Math.hypot(x, y) - r,
  diamond: (x, y, r) => (Math.abs(x) + Math.abs(y)) * 0.7071 - r * 0.85,
  square: (x, y, r) => Math.max(Math.abs(x), Math.abs(y)) - r * 0.85,
  triangle: (x, y, r) => Math.max(y - r * 0.7, Math.abs(x) * 0.87 - y * 0.5 - r * 0.6),
};
const SHAPE_NAMES = Object.keys(SHAPES);
const DEPTHS = 64;

function makePainter() {
  const masks = new Map();
  let image = null, pixels = null, width = 0, height = 0;

  function resize(pen, w, h) {
    [width, height] = [w, h];
    image = pen.createImageData(w, h);
    pixels = new Uint32Array(image.data.buffer);
  }

  const packed = ([r, g, b]) => (255 << 24) | (b << 16) | (g << 8) | r;

  // For each pixel of a mark: its position, and its coverage by the mark and by the outline.
  function maskOf(shape, radius) {
    const key = `${shape} ${radius}`;
    if (!masks.has(key)) {
      const edge = Math.ceil(radius + 2), found = [];
      for (let y = -edge; y <= edge; y++) {
        for (let x = -edge; x <= edge; x++) {
          const away = SHAPES[SHAPE_NAMES[shape]](x, y, radius);
          const inside = Math.min(Math.max(0.5 - away, 0), 1);
          const around = Math.min(Math.max(0.5 - (away - 0.9), 0), 1) - inside;
          if (inside + around > 0.02) found.push(x, y, Math.round(inside * 256), Math.round(around * 160));
        }
      }
      masks.set(key, Int16Array.from(found));
    }
    return masks.get(key);
  }

  function mix(below, above, share) {
    const rest = 256 - share;
    const odd = (((below & 0xff00ff) * rest + (above & 0xff00ff) * share) >>> 8) & 0xff00ff;
    const even = (((below & 0xff00) * rest + (above & 0xff00) * share) >>> 8) & 0xff00;
    return 0xff000000 | odd | even;
  }

  function mark(x, y, mask, colour, ground) {
    const left = Math.round(x), top = Math.round(y);
    for (let i = 0; i < mask.length; i += 4) {
      const px = left + mask[i], py = top + mask[i + 1];
      if (px < 0 || py < 0 || px >= width || py >= height) continue;
      const place = py * width + px;
      if (mask[i + 2] >= 255) pixels[place] = colour;
      else {
        const below = mask[i + 3] ? mix(pixels[place], ground, mask[i + 3]) : pixels[place];
        pixels[place] = mask[i + 2] ? mix(below, colour, mask[i + 2]) : below;
      }
    }
  }

  function fill(colour) {
    pixels.fill(packed(colour));
  }

  // Lines one CSS pixel wide: [vertical?, position].
  function gridLine(vertical, place, colour, thick) {
    const value = packed(colour);
    for (let t = 0; t < thick; t++) {
      const at = Math.round(place) + t;
      if (at < 0 || at >= (vertical ? width : height)) continue;
      if (vertical) for (let i = at; i < pixels.length; i += width) pixels[i] = value;
      else pixels.fill(value, at * width, (at + 1) * width);
    }
  }

  return { resize, fill, gridLine, mark, maskOf, packed, show: (pen) => pen.putImageData(image, 0, 0) };
}

// Sorts all points from back to front, in linear time.
function makeDepthOrder(count) {
  const order = new Uint32Array(count), bucketOf = new Uint8Array(count);
  const starts = new Uint32Array(DEPTHS + 1);
  return (z, flat) => {
    starts.fill(0);
    for (let i = 0; i < count; i++) {
      // In 2-D all points have the same depth: a fixed shuffle keeps one class from covering the others.
      const depth = flat ? (Math.imul(i + 1, 0x9e3779b1) >>> 26) : Math.floor((z[i] + 1.4) * (DEPTHS / 2.8));
      bucketOf[i] = Math.min(Math.max(depth, 0), DEPTHS - 1);
      starts[bucketOf[i] + 1]++;
    }
    for (let b = 0; b < DEPTHS; b++) starts[b + 1] += starts[b];
    for (let i = 0; i < count; i++) order[starts[bucketOf[i]]++] = i;
    return order;
  };
}
