// The legend: which classes and splits are visible, and which class is highlighted.

const MOST_LISTED = 300;

function makeLegend(data, state, scatter) {
  const list = byId('legend'), search = byId('legend-search'), more = byId('legend-more');
  const folded = data.labels.map((label) => label.toLowerCase());

  function fill() {
    const wanted = search.value.trim().toLowerCase();
    const found = [];
    for (let label = 0; label < folded.length; label++) {
      if (folded[label].includes(wanted)) found.push(label);
    }
    list.replaceChildren(...found.slice(0, MOST_LISTED).map(entry));
    more.hidden = found.length <= MOST_LISTED && found.length > 0;
    more.textContent = found.length
      ? `${counted(found.length - MOST_LISTED)} more: type part of a name to find them.`
      : 'No class has such a name.';
  }

  function entry(label) {
    const button = document.createElement('button');
    button.type = 'button';
    button.setAttribute('aria-pressed', state.labelShown[label] ? 'true' : 'false');
    const swatch = document.createElement('span');
    swatch.className = 'swatch';
    swatch.style.backgroundColor = scatter.colourOf(label);
    const name = document.createElement('bdi');
    name.textContent = data.labels[label];
    const count = document.createElement('span');
    count.className = 'count';
    count.textContent = counted(data.ofLabel[label]);
    button.append(swatch, name, count);
    button.title = data.labels[label];
    button.addEventListener('click', () => {
      state.labelShown[label] = state.labelShown[label] ? 0 : 1;
      button.setAttribute('aria-pressed', state.labelShown[label] ? 'true' : 'false');
      emphasise(-1);
    });
    for (const event of ['pointerenter', 'focus']) {
      button.addEventListener(event, () => emphasise(state.labelShown[label] ? label : -1));
    }
    for (const event of ['pointerleave', 'blur']) button.addEventListener(event, () => emphasise(-1));
    const item = document.createElement('li');
    item.append(button);
    return item;
  }

  function emphasise(label) {
    state.emphasis = label;
    scatter.redraw();
  }

  function showAll(shown) {
    state.labelShown.fill(shown);
    fill();
    scatter.redraw();
  }

  search.addEventListener('input', fill);
  byId('legend-all').addEventListener('click', () => showAll(1));
  byId('legend-none').addEventListener('click', () => showAll(0));
  scatter.onRecolour(fill);
  search.hidden = data.labels.length <= 12;
  fill();
  fillSplits(data, state, scatter);
}

function fillSplits(data, state, scatter) {
  const box = byId('splits');
  box.hidden = data.splits.length === 1 && data.splits[0] === 'none';
  data.splits.forEach((split, at) => {
    const label = document.createElement('label');
    const tick = document.createElement('input');
    tick.type = 'checkbox';
    tick.checked = true;
    tick.addEventListener('change', () => {
      state.splitShown[at] = tick.checked ? 1 : 0;
      scatter.redraw();
    });
    const shape = document.createElement('span');
    shape.className = `shape ${SHAPE_NAMES[at % SHAPE_NAMES.length]}`;
    const name = document.createElement('bdi');
    name.textContent = split === 'none' ? 'no split' : split;
    label.append(tick, shape, name, ` ${counted(data.ofSplit[at])}`);
    box.append(label);
  });
}
