// Control of the plot by mouse, pen or finger.

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
      // The clicked image is shown below the plot, and its card would cover its neighbours.
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
