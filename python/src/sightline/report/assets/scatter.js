// The plot: draws the visible images, and finds the image under the pointer.

const REACH = 14; // largest distance in CSS pixels between the pointer and the point that it selects
const TURN = 0.008; // radians for a CSS pixel

function makeScatter(data, canvas, state) {
  const pen = canvas.getContext('2d', { alpha: false });
  const projection = makeProjection(data);
  const painter = makePainter();
  const depthOrder = makeDepthOrder(data.count);
  const dark = matchMedia('screen and (prefers-color-scheme: dark)');
  let width = 0, height = 0, ratio = 1, due = false;
  let colours = [], packedColours = [], packedFaint = [], ground = [], faint = [];

  function recolour() {
    colours = classColours(data.labels.length, dark.matches);
    [ground, faint] = [styleColour('--plot'), styleColour('--line')];
    packedColours = colours.map(painter.packed);
    packedFaint = colours.map((c) => painter.packed(c.map((v, i) => v * 0.16 + ground[i] * 0.84)));
    redraw();
  }

  function resize() {
    const box = canvas.parentElement.getBoundingClientRect();
    const sharp = Math.min(window.devicePixelRatio || 1, 2);
    const same = [Math.round(box.width), Math.round(box.height), sharp];
    if (!same[0] || !same[1] || (same[0] === width && same[1] === height && sharp === ratio)) return;
    [width, height, ratio] = same;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    painter.resize(pen, canvas.width, canvas.height);
    draw();
  }

  function redraw() {
    if (due || !width) return;
    due = true;
    requestAnimationFrame(() => { due = false; draw(); });
  }

  const shows = (image) => state.labelShown[data.label[image]] && state.splitShown[data.split[image]];

  function draw() {
    projection.project(width, height);
    painter.fill(ground);
    if (projection.isFlat()) drawGrid();
    const { x, y, z } = projection.at;
    const flat = projection.isFlat();
    const order = depthOrder(z, flat);
    const crowd = data.count > 4000 ? 2.6 : data.count > 800 ? 3.2 : 4.4;
    const single = state.emphasis;
    const groundPacked = painter.packed(ground);
    for (const pass of single < 0 ? [0] : [1, 2]) {
      for (let n = 0; n < order.length; n++) {
        const image = order[n], label = data.label[image];
        if (!state.labelShown[label] || !state.splitShown[data.split[image]]) continue;
        if (pass && (label === single) !== (pass === 2)) continue;
        const near = flat ? 1 : 1 + 0.3 * z[image];
        const radius = Math.max(1, Math.round(crowd * near * Math.sqrt(projection.camera.zoom ** 0.5) * ratio * 2) / 2);
        const mask = painter.maskOf(data.split[image] % SHAPE_NAMES.length, radius);
        const colour = pass === 1 ? packedFaint[label] : packedColours[label];
        painter.mark(x[image] * ratio, y[image] * ratio, mask, colour, groundPacked);
      }
    }
    painter.show(pen);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (flat) drawTicks();
    else drawAxes();
    drawNeighbours();
    pen.setTransform(1, 0, 0, 1, 0, 0);
    hover(state.hovered);
  }

  // Draws a ring around an image, or none for -1. It is a separate element, so the points need no redraw.
  function hover(image) {
    state.hovered = image;
    const ring = byId('ring');
    ring.hidden = image < 0;
    if (image >= 0) ring.style.transform = `translate(${projection.at.x[image]}px, ${projection.at.y[image]}px)`;
  }

  function visibleTicks(axis) {
    const [scale, offset] = projection.lineOf(axis, width, height);
    const size = axis === 0 ? width : height;
    const ends = [-offset / scale, (size - offset) / scale].sort((a, b) => a - b);
    return ticks(ends[0], ends[1], size / 90).map((value) => [value, value * scale + offset]);
  }

  function drawGrid() {
    for (const axis of [0, 1]) {
      for (const [, place] of visibleTicks(axis)) {
        painter.gridLine(axis === 0, place * ratio, faint, Math.round(ratio));
      }
    }
  }

  function write(text, x, y, align, size = 12) {
    pen.font = `${size}px system-ui, sans-serif`;
    pen.textAlign = align;
    pen.lineWidth = 4;
    pen.lineJoin = 'round';
    pen.strokeStyle = css(ground);
    pen.fillStyle = css(styleColour('--quiet'));
    pen.strokeText(text, x, y);
    pen.fillText(text, x, y);
  }

  const axisName = (axis) => `PC${axis + 1} (${(100 * data.shares[axis]).toFixed(1)}%)`;

  function drawTicks() {
    for (const [value, place] of visibleTicks(0)) {
      if (place > 40 && place < width - 20) write(tidy(value), place, height - 6, 'center');
    }
    for (const [value, place] of visibleTicks(1)) {
      if (place > 30 && place < height - 24) write(tidy(value), 6, place + 4, 'left');
    }
    write(axisName(projection.axes()[0]), width - 8, height - 24, 'right', 13);
    write(axisName(projection.axes()[1]), 8, 18, 'left', 13);
  }

  function drawAxes() {
    const turn = projection.turned(width, height);
    const [x0, y0] = turn(0, 0, 0);
    projection.axes().forEach((axis, n) => {
      const end = [0, 0, 0];
      end[n] = 0.9;
      const [x1, y1] = turn(...end);
      pen.beginPath();
      pen.moveTo(x0, y0);
      pen.lineTo(x1, y1);
      pen.strokeStyle = css(styleColour('--quiet'));
      pen.lineWidth = 1;
      pen.stroke();
      const align = x1 > width * 0.66 ? 'right' : x1 < width * 0.34 ? 'left' : 'center';
      write(axisName(axis), x1, Math.min(Math.max(y1 - 6, 16), height - 8), align, 13);
    });
  }

  function drawNeighbours() {
    if (state.chosen < 0) return;
    const { x, y } = projection.at;
    pen.strokeStyle = css(styleColour('--ink'));
    pen.lineWidth = 1;
    for (const { image } of state.nearest) {
      pen.beginPath();
      pen.moveTo(x[state.chosen], y[state.chosen]);
      pen.lineTo(x[image], y[image]);
      pen.stroke();
      ring(image, 5, '--ink', 1.5);
    }
    ring(state.chosen, 9, '--accent', 3);
  }

  function ring(image, radius, colour, thick) {
    pen.beginPath();
    pen.arc(projection.at.x[image], projection.at.y[image], radius, 0, 2 * Math.PI);
    pen.lineWidth = thick;
    pen.strokeStyle = css(styleColour(colour));
    pen.stroke();
  }

  // The nearest visible point, the front one of two at the same distance; -1 if none is within REACH.
  function imageAt(px, py) {
    const { x, y, z } = projection.at;
    let found = -1, best = REACH * REACH;
    for (let i = 0; i < data.count; i++) {
      const dx = x[i] - px, dy = y[i] - py;
      const away = dx * dx + dy * dy;
      if (away > best || !shows(i)) continue;
      if (away < best - 1 || found < 0 || z[i] >= z[found]) [found, best] = [i, away];
    }
    return found;
  }

  function drag(dx, dy, moves) {
    const { camera } = projection;
    if (projection.isFlat() || moves) {
      camera.x += dx;
      camera.y += dy;
    } else {
      camera.yaw += dx * TURN;
      camera.pitch = Math.min(Math.max(camera.pitch + dy * TURN, -1.57), 1.57);
    }
    redraw();
  }

  function zoom(factor) {
    const { camera } = projection;
    const before = camera.zoom;
    camera.zoom = Math.min(Math.max(before * factor, 0.5), 40);
    camera.x *= camera.zoom / before;
    camera.y *= camera.zoom / before;
    redraw();
  }

  projection.setAxes(projection.axes());
  dark.addEventListener('change', recolour);
  recolour();
  new ResizeObserver(resize).observe(canvas.parentElement);

  return {
    redraw, hover, imageAt, drag, zoom, shows, projection,
    colourOf: (label) => css(colours[label]),
    place: (image) => [projection.at.x[image], projection.at.y[image], width, height],
    onRecolour: (then) => dark.addEventListener('change', then),
  };
}

function tidy(value) {
  const text = Math.abs(value) >= 1e5 || (value && Math.abs(value) < 1e-3) ? value.toExponential(0) : String(Number(value.toPrecision(6)));
  return text.replace('-', '−');
}
