// The nearest images of an image, by all components of the run.

const NEAREST = 12;

// The nearest images on the page with their Euclidean distances, nearest first.
function nearestTo(data, image) {
  const { count, k, components } = data;
  const best = [];
  for (let other = 0; other < count; other++) {
    if (other === image) continue;
    const limit = best.length < NEAREST ? Infinity : best[NEAREST - 1].square;
    let square = 0;
    for (let i = 0, a = image * k, b = other * k; i < k && square < limit; i++) {
      const difference = components[a + i] - components[b + i];
      square += difference * difference;
    }
    if (square >= limit) continue;
    best.push({ image: other, square });
    best.sort((one, two) => one.square - two.square);
    best.length = Math.min(best.length, NEAREST);
  }
  return best.map(({ image: other, square }) => ({ image: other, distance: Math.sqrt(square) }));
}

function makeNeighbours(data, state, scatter, thumbnails) {
  function choose(image) {
    state.chosen = image;
    state.nearest = image < 0 ? [] : nearestTo(data, image);
    byId('chosen').hidden = image < 0;
    byId('nearest').replaceChildren(...state.nearest.map(entry));
    scatter.redraw();
    if (image < 0) return '';
    thumbnails.draw(byId('chosen-image'), image, 96);
    byId('chosen-label').textContent = data.labels[data.label[image]];
    byId('chosen-split').textContent = splitName(data, image);
    byId('chosen-path').textContent = data.paths[image];
    byId('agreement').textContent = agreement(image);
    return agreement(image);
  }

  function agreement(image) {
    if (!state.nearest.length) return 'There is no other image.';
    const same = state.nearest.filter((other) => data.label[other.image] === data.label[image]).length;
    return `${same} of the ${state.nearest.length} nearest images share its label.`;
  }

  function entry({ image, distance }) {
    const same = data.label[image] === data.label[state.chosen];
    const button = document.createElement('button');
    button.type = 'button';
    button.className = same ? 'same' : 'other';
    const picture = document.createElement('canvas');
    picture.className = 'thumbnail';
    picture.setAttribute('aria-hidden', 'true');
    thumbnails.draw(picture, image, 84);
    const frame = document.createElement('span');
    frame.className = 'frame';
    frame.append(picture);
    frame.hidden = picture.hidden;
    const name = document.createElement('bdi');
    name.textContent = data.labels[data.label[image]];
    const facts = document.createElement('span');
    facts.className = 'distance';
    facts.textContent = `${distance.toPrecision(4)} ${same ? '✓' : '≠'}`;
    facts.setAttribute('aria-label', `at ${distance.toPrecision(4)}, ${same ? 'same' : 'another'} label`);
    button.append(frame, name, facts);
    button.title = `${data.labels[data.label[image]]}\n${splitName(data, image)}\n${data.paths[image]}`;
    button.addEventListener('click', () => {
      scatter.hover(-1);
      choose(image);
      byId('neighbours').scrollIntoView({ block: 'nearest' });
      byId('nearest').querySelector('button')?.focus({ preventScroll: true });
    });
    for (const event of ['pointerenter', 'focus']) {
      button.addEventListener(event, () => scatter.hover(image));
    }
    for (const event of ['pointerleave', 'blur']) {
      button.addEventListener(event, () => scatter.hover(-1));
    }
    const item = document.createElement('li');
    item.append(button);
    return item;
  }

  return { choose };
}
