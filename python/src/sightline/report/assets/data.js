// The data of the page, decoded once.

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

function readData() {
  const data = JSON.parse(document.getElementById('data').textContent);
  data.label = new Uint16Array(bytesOf(data.label).buffer);
  data.split = new Uint16Array(bytesOf(data.split).buffer);
  data.components = new Float32Array(bytesOf(data.components).buffer); // count rows of k
  if (data.thumbnails) data.thumbnails.sizes = bytesOf(data.thumbnails.sizes);
  data.ofLabel = new Uint32Array(data.labels.length);
  data.ofSplit = new Uint32Array(data.splits.length);
  for (let i = 0; i < data.count; i++) {
    data.ofLabel[data.label[i]]++;
    data.ofSplit[data.split[i]]++;
  }
  return data;
}

const byId = (id) => document.getElementById(id);
const counted = (number) => number.toLocaleString('en-US');

// A split is only shown if the run has splits.
function splitName(data, image) {
  const name = data.splits[data.split[image]];
  return name === 'none' ? '' : name;
}
