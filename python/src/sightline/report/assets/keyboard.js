// Keyboard control of the plot.

const STEP = 30; // CSS pixels that an arrow key turns or moves

function listenToKeys(data, state, scatter, card, neighbours) {
  const plot = byId('plot');
  let current = -1; // index of the image; images are sorted by label and path

  function say(text) {
    byId('spoken').textContent = text;
  }

  function goTo(image) {
    current = image;
    card.show(image);
    const split = splitName(data, image);
    say(`${data.labels[data.label[image]]}${split && `, ${split}`}, image ${counted(image + 1)} of ${counted(data.count)}, ${data.paths[image]}`);
  }

  // The next visible image whose class matches.
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
