/* ---- shapes: see the packing in smallarea.publish.topology ------------------------------- */
function decode(text) {
  const numbers = [];
  let number = 0, shift = 0;
  for (let n = 0; n < text.length; n++) {
    const five = text.charCodeAt(n) - 63;
    number |= (five & 31) << shift;
    shift += 5;
    if (five < 32) {
      numbers.push(number & 1 ? ~(number >> 1) : number >> 1);
      number = shift = 0;
    }
  }
  return numbers;
}
const shapes = (() => {
  const { arcs, rings, markers, grid, south } = data.shapes;
  let x = 0, y = 0;
  const lines = arcs.map((text) => {
    const steps = decode(text), line = [];
    for (let n = 0; n < steps.length; n += 2) line.push([(x += steps[n]), (y += steps[n + 1])]);
    return line;
  });
  const height = lines.reduce((top, line) => line.reduce((t, p) => Math.max(t, p[1]), top), 0);
  const squeeze = Math.cos(((south + (grid * height) / 2) * Math.PI) / 180);
  const place = ([px, py]) => [px * squeeze, height - py];
  return rings.map((areaRings, i) => {
    const path = new Path2D(), box = [Infinity, Infinity, -Infinity, -Infinity];
    const include = ([px, py]) => {
      box[0] = Math.min(box[0], px); box[1] = Math.min(box[1], py);
      box[2] = Math.max(box[2], px); box[3] = Math.max(box[3], py);
    };
    for (const ring of areaRings) {
      let arc = 0, started = false;
      for (const step of decode(ring)) {
        arc += step;
        const line = arc < 0 ? [...lines[~arc]].reverse() : lines[arc];
        for (const point of line) {
          const p = place(point);
          include(p);
          if (started) path.lineTo(p[0], p[1]); else path.moveTo(p[0], p[1]);
          started = true;
        }
      }
      path.closePath();
    }
    const marker = markers[i] && place(markers[i]);
    if (marker) include(marker);
    return { path, box, marker };
  });
})();
const world_box = shapes.reduce((b, { box }) => [Math.min(b[0], box[0]), Math.min(b[1], box[1]), Math.max(b[2], box[2]), Math.max(b[3], box[3])], [Infinity, Infinity, -Infinity, -Infinity]);
