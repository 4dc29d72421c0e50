// Projects components to positions on the plot: two components directly, or three after a rotation.

const HOME = { yaw: -0.6, pitch: 0.35, zoom: 1, x: 0, y: 0 };
const MARGIN = 34;
const DISTANCE = 4; // of the camera, in radii of the point cloud

function makeProjection(data) {
  const { count, k, components } = data;
  const at = { x: new Float32Array(count), y: new Float32Array(count), z: new Float32Array(count) };
  const camera = { ...HOME };
  let axes = [0, 1, 2].map((axis) => Math.min(axis, k - 1));
  let flat = k < 3;
  let ranges = [];
  let radius = 1;

  function setAxes(chosen) {
    axes = chosen;
    ranges = axes.map((axis) => {
      let low = Infinity, high = -Infinity;
      for (let i = axis; i < components.length; i += k) {
        if (components[i] < low) low = components[i];
        if (components[i] > high) high = components[i];
      }
      return high > low ? [low, high] : [low - 1, high + 1];
    });
    // Scale by a quantile, so that a few outliers do not make the rest small.
    const distances = new Float32Array(count);
    const middle = ranges.map(([low, high]) => (low + high) / 2);
    for (let i = 0; i < count; i++) {
      distances[i] = Math.hypot(...axes.map((axis, n) => components[i * k + axis] - middle[n]));
    }
    distances.sort();
    radius = distances[Math.floor((count - 1) * 0.99)] || 1;
  }

  function project(width, height) {
    if (flat) projectFlat(width, height);
    else projectTurned(width, height);
  }

  // Value to pixel along one axis: value * scale + offset.
  function lineOf(axis, width, height) {
    const [low, high] = ranges[axis];
    const size = axis === 0 ? width : height;
    const span = ((size - 2 * MARGIN) / (high - low)) * camera.zoom;
    const sign = axis === 0 ? 1 : -1;
    const moved = axis === 0 ? camera.x : camera.y;
    return [sign * span, size / 2 + moved - sign * span * ((low + high) / 2)];
  }

  function projectFlat(width, height) {
    const [sx, ox] = lineOf(0, width, height), [sy, oy] = lineOf(1, width, height);
    for (let i = 0; i < count; i++) {
      at.x[i] = components[i * k + axes[0]] * sx + ox;
      at.y[i] = components[i * k + axes[1]] * sy + oy;
      at.z[i] = 0;
    }
  }

  function projectTurned(width, height) {
    const middle = ranges.map(([low, high]) => (low + high) / 2);
    const turn = turned(width, height);
    for (let i = 0; i < count; i++) {
      const row = i * k;
      const [x, y, z] = turn(
        (components[row + axes[0]] - middle[0]) / radius,
        (components[row + axes[1]] - middle[1]) / radius,
        (components[row + axes[2]] - middle[2]) / radius,
      );
      at.x[i] = x;
      at.y[i] = y;
      at.z[i] = z;
    }
  }

  // Returns a function from a position in the cloud, -1..1 along each axis, to pixels and depth.
  function turned(width, height) {
    const cy = Math.cos(camera.yaw), sy = Math.sin(camera.yaw);
    const cp = Math.cos(camera.pitch), sp = Math.sin(camera.pitch);
    const size = (Math.min(width, height) / 2 - 12) * camera.zoom * 0.95;
    const middleX = width / 2 + camera.x, middleY = height / 2 + camera.y;
    return (x, y, z) => {
      const right = cy * x + sy * z, back = cy * z - sy * x;
      const up = cp * y - sp * back, depth = sp * y + cp * back;
      const near = DISTANCE / Math.max(DISTANCE - depth, 0.5);
      return [middleX + right * near * size, middleY - up * near * size, depth];
    };
  }

  return {
    at, camera, project, turned, lineOf, setAxes,
    axes: () => axes,
    isFlat: () => flat,
    setFlat: (value) => { flat = value; },
    reset: () => Object.assign(camera, HOME),
  };
}

// About `wanted` round numbers between two numbers.
function ticks(low, high, wanted) {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((digit) => digit * power).find((size) => size >= rough);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) {
    found.push(Math.abs(value) < step / 1e6 ? 0 : value);
  }
  return found;
}
