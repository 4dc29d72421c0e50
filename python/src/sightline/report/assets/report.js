// Connects the plot with its controls, the pointer and the keyboard.

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
    // Browsers keep the state of controls when a page is reloaded.
    view.checked = view.value === (data.k < 3 ? '2' : '3');
    view.disabled = data.k < 3 && view.value === '3';
    view.addEventListener('change', look);
  }
  look();
  byId('zoom-in').addEventListener('click', () => scatter.zoom(1.3));
  byId('zoom-out').addEventListener('click', () => scatter.zoom(1 / 1.3));
  byId('reset').addEventListener('click', () => { projection.reset(); scatter.redraw(); });
}

start();
