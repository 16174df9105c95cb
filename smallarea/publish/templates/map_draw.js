/* ---- drawing ------------------------------------------------------------------------------ */
const canvas = $("map"), overlay = $("overlay");
const pen = canvas.getContext("2d"), over = overlay.getContext("2d");
const probe = document.createElement("canvas").getContext("2d");
const eye = { scale: 1, x: 0, y: 0 };
let ratio = 1, hovered = null, waiting = false, framed = world_box;

function fit(box, margin = 0.16) {
  framed = box;
  if (box === world_box) margin = 0.94;
  // The country stands beside the legend, not under it.
  const w = canvas.clientWidth, h = canvas.clientHeight, left = box === world_box ? (w > 600 ? 260 : 165) : 0;
  const bw = Math.max(box[2] - box[0], 60), bh = Math.max(box[3] - box[1], 60);
  eye.scale = Math.min(((w - left) * margin) / bw, (h * margin) / bh);
  eye.x = (w + left) / 2 - (eye.scale * (box[0] + box[2])) / 2;
  eye.y = h / 2 - (eye.scale * (box[1] + box[3])) / 2;
}
function aim(context) {
  context.setTransform(ratio * eye.scale, 0, 0, ratio * eye.scale, ratio * eye.x, ratio * eye.y);
}
const dotted = ({ marker, box }) => marker && Math.max(box[2] - box[0], box[3] - box[1]) * eye.scale < 10;
function spot(context, shape, radius) {
  context.beginPath();
  context.arc(shape.marker[0], shape.marker[1], radius / eye.scale, 0, 2 * Math.PI);
}
const hatching = (across) => {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 6;
  const t = tile.getContext("2d");
  if (across) { t.translate(6, 0); t.scale(-1, 1); }
  for (const [colour, shift] of [["#ffffffd0", 0], ["#3a4653b0", 1.6]]) {
    t.strokeStyle = colour;
    t.lineWidth = 1.6;
    t.beginPath();
    for (const c of [-6, 0, 6]) { t.moveTo(c + shift - 1, 7); t.lineTo(c + shift + 7, -1); }
    t.stroke();
  }
  return pen.createPattern(tile, "repeat");
};
const hatches = { uncovered: hatching(false), unlike: hatching(true) };

function draw() {
  waiting = false;
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, canvas.width, canvas.height);
  aim(pen);
  for (const hatch of Object.values(hatches)) hatch.setTransform(new DOMMatrix().scale(1 / eye.scale));
  pen.lineJoin = "round";
  const thin = (eye.scale > 0.12 ? 0.7 : 0.35) / eye.scale;
  const seen = (box) => box[2] * eye.scale + eye.x > 0 && box[0] * eye.scale + eye.x < canvas.clientWidth && box[3] * eye.scale + eye.y > 0 && box[1] * eye.scale + eye.y < canvas.clientHeight;
  for (let i = 0; i < count; i++) {
    if (!seen(shapes[i].box)) continue;
    pen.globalAlpha = passes(i) ? 1 : 0.18;
    pen.fillStyle = paint[i];
    pen.fill(shapes[i].path, "evenodd");
    for (const kind of ["uncovered", "unlike"]) if (flagsOf(i).includes(data.hatch[kind])) { pen.fillStyle = hatches[kind]; pen.fill(shapes[i].path, "evenodd"); break; }
    pen.lineWidth = thin;
    pen.strokeStyle = "#ffffffb0";
    pen.stroke(shapes[i].path);
  }
  pen.globalAlpha = 1;
  pen.strokeStyle = "#1c2733";
  pen.lineWidth = (eye.scale > 0.12 ? 1.2 : 0.8) / eye.scale;
  for (let i = 0; i < count; i++) if (data.areas.surveyed?.[i]) pen.stroke(shapes[i].path);
  for (let i = 0; i < count; i++) {
    if (!dotted(shapes[i])) continue;
    spot(pen, shapes[i], 4);
    pen.fillStyle = paint[i];
    pen.fill();
    pen.lineWidth = 1 / eye.scale; pen.strokeStyle = "#1c2733"; pen.stroke();
  }
  if (data.notice) {
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.font = "700 15px system-ui, sans-serif";
    pen.textAlign = "right"; pen.fillStyle = "#9c1c1c";
    pen.strokeStyle = "#fff"; pen.lineWidth = 4;
    pen.strokeText(data.notice, canvas.clientWidth - 12, canvas.clientHeight - 12);
    pen.fillText(data.notice, canvas.clientWidth - 12, canvas.clientHeight - 12);
  }
  mark();
}
function mark() {
  over.setTransform(1, 0, 0, 1, 0, 0);
  over.clearRect(0, 0, overlay.width, overlay.height);
  aim(over);
  const outline = (i, colour, wide) => {
    over.strokeStyle = colour; over.lineWidth = wide / eye.scale; over.lineJoin = "round";
    over.stroke(shapes[i].path);
    if (dotted(shapes[i])) { spot(over, shapes[i], 6); over.stroke(); }
  };
  for (const i of state.chosen || []) outline(i, "#d1007a", 2.5);
  for (const i of state.compare) outline(i, "#000", 2);
  if (state.area !== null) { outline(state.area, "#fff", 6); outline(state.area, "#d1007a", 3.5); }
  if (hovered !== null) outline(hovered, "#000", 2.5);
}
function redraw() {
  if (!waiting) { waiting = true; requestAnimationFrame(draw); }
}
function resize() {
  ratio = Math.min(window.devicePixelRatio || 1, 2);
  for (const c of [canvas, overlay]) { c.width = c.clientWidth * ratio; c.height = c.clientHeight * ratio; }
  if (framed) fit(framed);
  draw(); // at once: resizing has wiped the canvas
}
function at(px, py) {
  const x = (px - eye.x) / eye.scale, y = (py - eye.y) / eye.scale, reach = 9 / eye.scale;
  const near = (s) => dotted(s) && Math.hypot(s.marker[0] - x, s.marker[1] - y) < reach;
  const marker = shapes.findIndex(near);
  if (marker >= 0) return marker;
  const hit = shapes.findIndex(({ path, box }) => x >= box[0] && x <= box[2] && y >= box[1] && y <= box[3] && probe.isPointInPath(path, x, y, "evenodd"));
  return hit >= 0 ? hit : null;
}
function pan(dx, dy) {
  eye.x += dx;
  eye.y += dy;
  framed = null;
  redraw();
}
function zoom(factor, px = canvas.clientWidth / 2, py = canvas.clientHeight / 2) {
  const scale = Math.min(Math.max(eye.scale * factor, 0.01), 3);
  eye.x = px - ((px - eye.x) * scale) / eye.scale;
  eye.y = py - ((py - eye.y) * scale) / eye.scale;
  eye.scale = scale;
  framed = null;
  redraw();
}
