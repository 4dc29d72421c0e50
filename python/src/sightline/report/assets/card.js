// The card with the image under the pointer, or the image that the keyboard has selected.
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
    // If the card overlaps the point horizontally, place it above or below the point.
    const covers = beside < 4;
    const below = top + 18 + card.offsetHeight <= height ? top + 18 : top - 18 - card.offsetHeight;
    const middle = top - card.offsetHeight / 2;
    card.style.top = `${Math.min(Math.max(covers ? below : middle, 4), Math.max(height - card.offsetHeight - 4, 4))}px`;
  }

  return { show };
}
