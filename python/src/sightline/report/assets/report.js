// Joins the plot to its controls, the pointer and the keyboard.

const STEP = 30; // CSS pixels that an arrow key turns or moves

function start() {
  const data = readData();
  const state = {
    labelShown: new Uint8Array(data.labels.length).fill(1),
    splitShown: new Uint8Array(data.splits.length).fill(1),
    emphasis: -1, hovered: -1, chosen: -1, nearest: [],
  };
  byId('explore-body').hidden = false;
  const scatter = makeScatter(data, byId('canvas'), state);
  const thumbnails = makeThumbnails(data);
  const neighbours = makeNeighbours(data, state, scatter, thumbnails);
  makeLegend(data, state, scatter);
  makeControls(data, scatter);
  const card = makeCard(data, state, scatter, thumbnails);
  listenToPointer(state, scatter, card, neighbours);
  listenToKeys(data, state, scatter, card, neighbours);
}

function makeControls(data, scatter) {
  const { projection } = scatter;
  const selects = [0, 1, 2].map((n) => byId(`axis-${n}`));
  selects.forEach((select, n) => {
    data.shares.forEach((share, axis) => {
      select.add(new Option(`PC${axis + 1} (${(100 * share).toFixed(1)}%)`, axis, false, axis === projection.axes()[n]));
    });
    select.addEventListener('change', () => {
      projection.setAxes(selects.map((one) => Number(one.value)));
      scatter.redraw();
    });
  });
  const views = [...document.querySelectorAll('input[name=view]')];
  function look() {
    projection.setFlat(views.find((view) => view.checked).value === '2');
    selects[2].hidden = projection.isFlat();
    projection.reset();
    scatter.redraw();
  }
  for (const view of views) {
    // Browsers keep what was chosen when a page is loaded again.
    view.checked = view.value === (data.k < 3 ? '2' : '3');
    view.disabled = data.k < 3 && view.value === '3';
    view.addEventListener('change', look);
  }
  look();
  byId('zoom-in').addEventListener('click', () => scatter.zoom(1.3));
  byId('zoom-out').addEventListener('click', () => scatter.zoom(1 / 1.3));
  byId('reset').addEventListener('click', () => { projection.reset(); scatter.redraw(); });
}

// The image under the pointer, or the one that the keyboard is at.
function makeCard(data, state, scatter, thumbnails) {
  const card = byId('card');

  function show(image) {
    scatter.hover(image);
    card.hidden = image < 0;
    if (image < 0) return;
    byId('card-label').textContent = data.labels[data.label[image]];
    byId('card-split').textContent = splitName(data, image) + (thumbnails.missing(image) ? ' · image not readable' : '');
    byId('card-path').textContent = data.paths[image];
    thumbnails.draw(byId('card-image'), image, 96);
    const [x, y, width, height] = scatter.place(image);
    const left = Math.min(Math.max(x, 0), width), top = Math.min(Math.max(y, 0), height);
    const beside = left + 18 + card.offsetWidth <= width ? left + 18 : left - 18 - card.offsetWidth;
    card.style.left = `${Math.min(Math.max(beside, 4), Math.max(width - card.offsetWidth - 4, 4))}px`;
    // Where the card must lie over the point's column, it lies above or below the point.
    const covers = beside < 4;
    const below = top + 18 + card.offsetHeight <= height ? top + 18 : top - 18 - card.offsetHeight;
    const middle = top - card.offsetHeight / 2;
    card.style.top = `${Math.min(Math.max(covers ? below : middle, 4), Math.max(height - card.offsetHeight - 4, 4))}px`;
  }

  return { show };
}

function listenToPointer(state, scatter, card, neighbours) {
  const plot = byId('plot');
  let held = null; // where the pointer went down, and whether it has moved since

  const placeOf = (event) => {
    const box = plot.getBoundingClientRect();
    return [event.clientX - box.left - plot.clientLeft, event.clientY - box.top - plot.clientTop];
  };
  plot.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    const [x, y] = placeOf(event);
    held = { x, y, moved: 0 };
    plot.setPointerCapture(event.pointerId);
  });
  plot.addEventListener('pointermove', (event) => {
    const [x, y] = placeOf(event);
    if (!held) {
      if (event.pointerType === 'touch') return;
      // What was clicked is shown below, and its card would hide its neighbours.
      const found = scatter.imageAt(x, y);
      const image = found === state.chosen ? -1 : found;
      if (image !== state.hovered) card.show(image);
      return;
    }
    held.moved += Math.abs(x - held.x) + Math.abs(y - held.y);
    if (held.moved > 4) {
      card.show(-1);
      scatter.drag(x - held.x, y - held.y, event.shiftKey);
    }
    [held.x, held.y] = [x, y];
  });
  plot.addEventListener('pointerup', (event) => {
    if (held && held.moved <= 4) {
      const image = scatter.imageAt(...placeOf(event));
      card.show(event.pointerType === 'touch' ? image : -1);
      if (image >= 0) neighbours.choose(image);
    }
    held = null;
  });
  plot.addEventListener('pointercancel', () => { held = null; });
  plot.addEventListener('pointerleave', () => { if (!held) card.show(-1); });
  // A wheel alone scrolls the page.
  plot.addEventListener('wheel', (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    scatter.zoom(Math.exp(-event.deltaY / 300));
  }, { passive: false });
}

function listenToKeys(data, state, scatter, card, neighbours) {
  const plot = byId('plot');
  let current = -1; // images lie in the order of label and path

  function say(text) {
    byId('spoken').textContent = text;
  }

  function goTo(image) {
    current = image;
    card.show(image);
    const split = splitName(data, image);
    say(`${data.labels[data.label[image]]}${split && `, ${split}`}, image ${counted(image + 1)} of ${counted(data.count)}, ${data.paths[image]}`);
  }

  // The next image that is shown and whose class is as asked for.
  function seek(step, accepts) {
    const from = current < 0 ? (step > 0 ? -1 : data.count) : current;
    for (let i = from + step; i >= 0 && i < data.count; i += step) {
      if (scatter.shows(i) && accepts(i)) return goTo(i);
    }
    return undefined;
  }

  const any = () => true;
  const otherClass = (image) => current < 0 || data.label[image] !== data.label[current];
  const keys = {
    ArrowRight: () => seek(1, any),
    ArrowLeft: () => seek(-1, any),
    ArrowDown: () => seek(1, otherClass),
    ArrowUp: () => seek(-1, otherClass),
    Home: () => { current = -1; seek(1, any); },
    End: () => { current = data.count; seek(-1, any); },
    '+': () => scatter.zoom(1.3),
    '=': () => scatter.zoom(1.3),
    '-': () => scatter.zoom(1 / 1.3),
    0: () => { scatter.projection.reset(); scatter.redraw(); },
    Enter: () => { if (current >= 0) say(neighbours.choose(current)); },
    ' ': () => { if (current >= 0) say(neighbours.choose(current)); },
    Escape: () => { current = -1; card.show(-1); neighbours.choose(-1); say('Cleared.'); },
  };
  const turns = {
    ArrowRight: [STEP, 0], ArrowLeft: [-STEP, 0], ArrowDown: [0, STEP], ArrowUp: [0, -STEP],
  };
  plot.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.shiftKey && turns[event.key]) {
      card.show(-1);
      scatter.drag(...turns[event.key], false);
    } else if (keys[event.key]) keys[event.key]();
    else return;
    event.preventDefault();
  });
  plot.addEventListener('blur', () => card.show(-1));
  plot.addEventListener('focus', () => { if (current >= 0) card.show(current); });
}

start();
