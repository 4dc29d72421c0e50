// Draws thumbnails, which are cut from their sheets when they become visible.

function makeThumbnails(data) {
  const given = data.thumbnails;
  const onSheet = given ? given.perRow * given.perRow : 1;
  const sheets = [];

  function sheetOf(image) {
    const at = Math.floor(image / onSheet);
    if (!sheets[at]) {
      const picture = new Image();
      picture.src = `data:image/webp;base64,${given.sheets[at]}`;
      sheets[at] = picture.decode().then(() => picture);
    }
    return sheets[at];
  }

  // Draws into a canvas as large as `edge` CSS pixels allow; a later call for the same canvas wins.
  async function draw(canvas, image, edge) {
    canvas.hidden = !given;
    if (!given) return;
    canvas.dataset.image = image;
    const width = given.sizes[2 * image], height = given.sizes[2 * image + 1];
    if (!width) {
      drawMissing(canvas, edge);
      return;
    }
    const sheet = await sheetOf(image);
    if (canvas.dataset.image !== String(image)) return;
    const scale = edge / given.side;
    canvas.width = width;
    canvas.height = height;
    canvas.style.width = `${Math.max(1, Math.round(width * scale))}px`;
    canvas.style.height = `${Math.max(1, Math.round(height * scale))}px`;
    const tile = image % onSheet;
    const x = (tile % given.perRow) * given.side, y = Math.floor(tile / given.perRow) * given.side;
    canvas.getContext('2d').drawImage(sheet, x, y, width, height, 0, 0, width, height);
  }

  return { draw, missing: (image) => Boolean(given) && !given.sizes[2 * image] };
}

function drawMissing(canvas, edge) {
  canvas.width = canvas.height = 48;
  canvas.style.width = canvas.style.height = `${edge}px`;
  const pen = canvas.getContext('2d');
  pen.fillStyle = css(styleColour('--sunken'));
  pen.fillRect(0, 0, 48, 48);
  pen.strokeStyle = css(styleColour('--quiet'));
  pen.lineWidth = 1.5;
  pen.strokeRect(12.5, 14.5, 23, 19);
  pen.beginPath();
  pen.moveTo(10, 38);
  pen.lineTo(38, 10);
  pen.stroke();
}
