"use strict";
// One page, no library: decode the shapes, colour them, explain the one that is pointed at.
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const count = data.areas.id.length;
const state = { indicator: data.start, layer: "q50", area: null, view: "map" };

/* ---- numbers ---------------------------------------------------------------------------- */
const QUANTILES = ["q025", "q10", "q25", "q50", "q75", "q90", "q975"];
const LAYERS = {
  q50: { name: "Middle estimate (median)", note: "The true number is as likely above as below." },
  q10: { name: "Low end: 9 in 10 likely above it", note: "Colours mean the same as for the middle estimate." },
  q90: { name: "High end: 9 in 10 likely below it", note: "Colours mean the same as for the middle estimate." },
  top: { name: `Chance of being among the ${data.k} highest`, note: "In percent. Near 50 nobody can tell." },
  spread: { name: "How uncertain: high end ÷ low end", note: "Ends of the range that holds the truth 8 times in 10." },
};
const INK = ["#fdf5cd", "#dfeab1", "#b3d9a5", "#7cc2a2", "#4ba5a5", "#3583a1", "#2b5e91", "#283872"];
const GREY = "#c9ced3";

function quantile(indicator, q, i) {
  const own = data.numbers[indicator.base][QUANTILES.indexOf(q)][i];
  if (own === null) return null;
  return indicator.per ? (1000 * own) / data.areas[indicator.per][i] : own;
}
function value(i) {
  const indicator = data.indicators[state.indicator];
  if (state.layer === "top") return data.top[state.indicator][i];
  if (state.layer !== "spread") return quantile(indicator, state.layer, i);
  const low = quantile(indicator, "q10", i), high = quantile(indicator, "q90", i);
  return low === null ? null : low > 0 ? high / low : Infinity;
}
function tidy(x) {
  const power = 10 ** Math.floor(Math.log10(x));
  const steps = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];
  const step = steps.reduce((best, s) => (Math.abs(Math.log(x / power / s)) < Math.abs(Math.log(x / power / best)) ? s : best));
  return Number((step * power).toPrecision(2));
}
function classBreaks() {
  if (state.layer === "top") return [5, 20, 40, 60, 80, 95];
  if (state.layer === "spread") return [2, 3, 5, 10, 20, 50];
  // The same colours for low, middle and high estimates, so that switching between them shows the range.
  const indicator = data.indicators[state.indicator];
  const share = (q, at) => {
    const all = data.areas.id.map((_, i) => quantile(indicator, q, i)).filter((x) => x > 0).sort((a, b) => a - b);
    return all.length ? tidy(all[Math.floor(at * (all.length - 1))]) : 1;
  };
  const at = [share("q10", 0.3), ...[0.1, 0.3, 0.5, 0.7, 0.9].map((x) => share("q50", x)), share("q90", 0.7)];
  return at.sort((a, b) => a - b).filter((x, n) => n === 0 || x > at[n - 1]);
}
const colours = (breaks) => Array.from({ length: breaks.length + 1 }, (_, n) => INK[Math.round((n * (INK.length - 1)) / breaks.length)]);
const classOf = (breaks, x) => breaks.filter((b) => x >= b).length;
function show(x) {
  if (x === null) return "withheld";
  if (!isFinite(x)) return "very many";
  if (x === 0) return "0";
  const rounded = Number(x.toPrecision(2));
  return rounded.toLocaleString("en", { maximumSignificantDigits: 2 });
}
const percent = (x) => (x < 1 ? "under 1 %" : x > 99 ? "over 99 %" : `${x} %`);
const range = (indicator, i, low, high) => `${show(quantile(indicator, low, i))} to ${show(quantile(indicator, high, i))}`;
const escape = (text) => text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

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
const world = shapes.reduce((b, { box }) => [Math.min(b[0], box[0]), Math.min(b[1], box[1]), Math.max(b[2], box[2]), Math.max(b[3], box[3])], [Infinity, Infinity, -Infinity, -Infinity]);

/* ---- drawing ------------------------------------------------------------------------------ */
const canvas = $("map"), overlay = $("overlay");
const pen = canvas.getContext("2d"), over = overlay.getContext("2d");
const probe = document.createElement("canvas").getContext("2d");
const eye = { scale: 1, x: 0, y: 0 };
let ratio = 1, hovered = null, waiting = false, framed = world;

function fit(box, margin = 0.16) {
  framed = box;
  if (box === world) margin = 0.94;
  // On a wide screen the country stands beside the legend, not under it.
  const w = canvas.clientWidth, h = canvas.clientHeight, left = box === world && w > 600 ? 250 : 0;
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
const hatch = (() => {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 6;
  const t = tile.getContext("2d");
  for (const [colour, shift] of [["#ffffffd0", 0], ["#3a4653b0", 1.6]]) {
    t.strokeStyle = colour;
    t.lineWidth = 1.6;
    t.beginPath();
    for (const c of [-6, 0, 6]) { t.moveTo(c + shift - 1, 7); t.lineTo(c + shift + 7, -1); }
    t.stroke();
  }
  return pen.createPattern(tile, "repeat");
})();
const flagsOf = (i) => data.flags[data.areas.flags[i]];
const hatched = (i) => flagsOf(i).some((f) => data.hatch.includes(f));

function draw() {
  waiting = false;
  const breaks = classBreaks(), ink = colours(breaks);
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, canvas.width, canvas.height);
  aim(pen);
  hatch.setTransform(new DOMMatrix().scale(1 / eye.scale));
  pen.lineJoin = "round";
  const thin = (eye.scale > 0.12 ? 0.7 : 0.35) / eye.scale;
  for (let i = 0; i < count; i++) {
    const x = value(i);
    pen.fillStyle = x === null ? GREY : ink[classOf(breaks, x)];
    pen.fill(shapes[i].path, "evenodd");
    if (hatched(i)) { pen.fillStyle = hatch; pen.fill(shapes[i].path, "evenodd"); }
    pen.lineWidth = thin;
    pen.strokeStyle = "#ffffffb0";
    pen.stroke(shapes[i].path);
  }
  pen.strokeStyle = "#1c2733";
  pen.lineWidth = (eye.scale > 0.12 ? 1.2 : 0.8) / eye.scale;
  for (let i = 0; i < count; i++) if (data.areas.surveyed[i]) pen.stroke(shapes[i].path);
  for (let i = 0; i < count; i++) {
    if (!dotted(shapes[i])) continue;
    const x = value(i);
    spot(pen, shapes[i], 4);
    pen.fillStyle = x === null ? GREY : ink[classOf(breaks, x)];
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
  for (const [i, colour] of [[state.area, "#d1007a"], [hovered, "#000"]]) {
    if (i === null) continue;
    over.strokeStyle = colour; over.lineWidth = 2.5 / eye.scale; over.lineJoin = "round";
    over.stroke(shapes[i].path);
    if (dotted(shapes[i])) { spot(over, shapes[i], 6); over.stroke(); }
  }
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

/* ---- words -------------------------------------------------------------------------------- */
function legend() {
  const breaks = classBreaks(), ink = colours(breaks), layer = LAYERS[state.layer];
  const unit = { top: " %", spread: " ×" }[state.layer] || "";
  const line = (n) => n === 0 ? `under ${show(breaks[0])}${unit}` : n === breaks.length ? `${show(breaks[n - 1])}${unit} and more` : `${show(breaks[n - 1])} to ${show(breaks[n])}${unit}`;
  const used = { hatch: data.areas.id.some((_, i) => hatched(i)), grey: data.areas.id.some((_, i) => value(i) === null), outline: data.areas.surveyed.some(Boolean) };
  $("legend").innerHTML = `<h2>${escape(data.indicators[state.indicator].label)}</h2><p>${escape(layer.name)}. ${escape(layer.note)}</p><ul>`
    + ink.map((c, n) => `<li><i style="background:${c}"></i>${line(n)}</li>`).reverse().join("")
    + `</ul><ul class="notes">`
    + (used.outline ? `<li><i style="border:2px solid #1c2733"></i>people were interviewed here</li>` : "")
    + (used.hatch ? `<li><i style="background:repeating-linear-gradient(135deg,#7cc2a2 0 3px,#fff 3px 4px,#3a4653 4px 5px)"></i>outside the survey: extrapolated</li>` : "")
    + (used.grey ? `<li><i style="background:${GREY}"></i>withheld: too few people</li>` : "") + "</ul>";
}
function bars(indicator, i) {
  const q = QUANTILES.map((name) => quantile(indicator, name, i));
  const floor = Math.max(q[6] / 1e4, 1e-9), log = (x) => Math.log10(Math.max(x, floor));
  const nation = indicator.nation && indicator.per !== null || indicator.base === "ratio" ? indicator.nation : null;
  const ends = [log(q[0]), log(q[6]), ...(nation ? [log(nation)] : [])];
  const low = Math.min(...ends) - 0.08, high = Math.max(...ends) + 0.08;
  const x = (v) => (12 + (306 * (log(v) - low)) / (high - low)).toFixed(1);
  const bar = (a, b, y, h, c) => `<rect x="${x(a)}" y="${y}" width="${Math.max(x(b) - x(a), 1)}" height="${h}" rx="2" fill="${c}"/>`;
  const text = (v, y, anchor) => `<text x="${x(v)}" y="${y}" font-size="12" text-anchor="${anchor}" fill="#1c2733">${show(v)}</text>`;
  return `<svg class="bars" viewBox="0 0 330 ${nation ? 78 : 62}" role="img" aria-label="Ranges: 50 % ${range(indicator, i, "q25", "q75")}, 80 % ${range(indicator, i, "q10", "q90")}, 95 % ${range(indicator, i, "q025", "q975")}">`
    + bar(q[0], q[6], 26, 6, "#b9cfdf") + bar(q[1], q[5], 23, 12, "#6ea3c6") + bar(q[2], q[4], 19, 20, "#1f5f8b")
    + `<line x1="${x(q[3])}" x2="${x(q[3])}" y1="16" y2="42" stroke="#fff" stroke-width="2.5"/>`
    + text(q[1], 12, "middle") + text(q[5], 12, "middle") + text(q[0], 56, "start") + text(q[6], 56, "end")
    + (nation ? `<path d="M${x(nation)} 14 V60" stroke="#d1007a" stroke-width="1.5" stroke-dasharray="3 3"/><text x="${x(nation)}" y="72" font-size="12" text-anchor="${x(nation) > 250 ? "end" : x(nation) < 80 ? "start" : "middle"}" fill="#a30060">whole country ${show(nation)}</text>` : "")
    + "</svg>";
}
function panel() {
  const indicator = data.indicators[state.indicator], i = state.area;
  if (i === null) {
    const n = data.national[state.indicator];
    $("panel").innerHTML = `<h2>The whole country</h2><p class="where">${escape(indicator.label)}</p>`
      + `<p class="range">${show(n.q10)} to ${show(n.q90)}</p><p>Eight times in ten, the true number lies in this range; nineteen times in twenty between ${show(n.q025)} and ${show(n.q975)}.</p>`
      + `<h3>How to read the map</h3><p>Point at a municipality, tap it, or search for it. Each one has a <b>range</b>, not a number: wide where nobody was interviewed.</p>`
      + `<p>To choose where to look first, show the <b>chance of being among the ${data.k} highest</b>; it takes the uncertainty into account, the colours of the middle estimate do not.</p>` + meaning();
    return;
  }
  const a = data.areas, ranks = data.ranks[state.indicator], chance = data.top[state.indicator][i];
  const flags = flagsOf(i).filter((f) => f !== "synthetic").map((f) => `<li>${escape(data.words[f] || f)}</li>`).join("");
  const head = `<h2>${escape(a.name[i])}</h2><p class="where">${[...new Set([data.provinces[a.province[i]], data.regions[a.region[i]]])].map(escape).join(" · ")}</p>`
    + `<p>${a.surveyed[i] ? "Some of its people were interviewed; their answers weigh in." : "Nobody was interviewed here: the range comes from places that resemble it."}</p>`;
  const notes = flags ? `<h3>Note</h3><ul class="notes-list">${flags}</ul>` : "";
  const numbers = quantile(indicator, "q50", i) === null ? "" : `<h3>${escape(indicator.label)}</h3>`
    + `<p class="range">${range(indicator, i, "q10", "q90")}</p><p>Eight times in ten, the true number lies in this range. Its middle (the median) is ${show(quantile(indicator, "q50", i))}.</p>`
    + bars(indicator, i)
    + `<p class="key">Dark: half of all plausible values, ${range(indicator, i, "q25", "q75")}. Medium: 80 %. Light: 95 %, ${range(indicator, i, "q025", "q975")}.</p>`
    + `<h3>Compared with the others</h3><p>Chance of being among the ${data.k} highest: <b>${percent(chance)}</b>.</p>`
    + `<p>Its place among ${count.toLocaleString("en")} could be anywhere from ${ranks[0][i].toLocaleString("en")} to ${ranks[1][i].toLocaleString("en")} (1 = highest; 9 times in 10).</p>`;
  $("panel").innerHTML = head + numbers + notes + `<p><button type="button" id="back">Whole country</button></p>` + meaning();
  $("back").onclick = () => { select(null); fit(world); redraw(); };
}
const meaning = () => `<details><summary>What the numbers mean</summary>${data.meaning.map((s) => `<p>${escape(s)}</p>`).join("")}</details>`;
function table() {
  const indicator = data.indicators[state.indicator], a = data.areas;
  const order = [...Array(count).keys()].sort((i, j) => a.name[i].localeCompare(a.name[j]));
  $("table").innerHTML = `<table><caption>${escape(indicator.label)} (${escape(indicator.unit)}), in alphabetical order. ${escape(data.notice)}</caption><thead><tr><th>Municipality<th>Province<th>Range, 8 in 10<th>Range, 19 in 20<th>Chance of top ${data.k}<th>Interviewed<th>Notes</thead><tbody>`
    + order.map((i) => {
      const gone = quantile(indicator, "q50", i) === null;
      return `<tr><td><button type="button" data-area="${i}">${escape(a.name[i])}</button><td>${escape(data.provinces[a.province[i]])}<td class="n">${gone ? "withheld" : range(indicator, i, "q10", "q90")}<td class="n">${gone ? "" : range(indicator, i, "q025", "q975")}<td class="n">${gone ? "" : percent(data.top[state.indicator][i])}<td>${a.surveyed[i] ? "yes" : "no"}<td>${flagsOf(i).filter((f) => f !== "synthetic").map((f) => escape(data.words[f] || f)).join("; ")}`;
    }).join("") + "</tbody></table>";
}
function tip(i, px, py) {
  hovered = i;
  mark();
  const box = $("tip");
  box.hidden = i === null;
  canvas.style.cursor = i === null ? "grab" : "pointer";
  if (i === null) return;
  const indicator = data.indicators[state.indicator], gone = quantile(indicator, "q50", i) === null;
  box.innerHTML = `<b>${escape(data.areas.name[i])}, ${escape(data.provinces[data.areas.province[i]])}</b>`
    + (gone ? "numbers withheld: too few people" : `${range(indicator, i, "q10", "q90")} ${escape(indicator.unit)}, 8 times in 10<br>chance of being among the ${data.k} highest: ${percent(data.top[state.indicator][i])}`)
    + `<br>${data.areas.surveyed[i] ? "interviewed" : "nobody interviewed"}${hatched(i) ? ", extrapolated" : ""}`;
  box.style.left = `${Math.max(4, Math.min(px + 14, canvas.clientWidth - 280))}px`;
  box.style.top = `${py > canvas.clientHeight - 120 ? py - 100 : py + 14}px`;
}

/* ---- state, kept in the address so that a view can be shared -------------------------------- */
function update() {
  $("indicator").value = state.indicator;
  $("layer").value = state.layer;
  const tabular = state.view === "table";
  $("table").hidden = !tabular;
  $("legend").hidden = $("zoom").hidden = tabular;
  $("view").textContent = tabular ? "Show as map" : "Show as table";
  $("view").setAttribute("aria-pressed", String(tabular));
  if (tabular) table();
  legend(); panel(); redraw();
  const parts = { indicator: state.indicator, layer: state.layer };
  if (state.area !== null) parts.area = data.areas.id[state.area];
  if (tabular) parts.view = "table";
  history.replaceState(null, "", "#" + new URLSearchParams(parts));
}
function select(i, look) {
  state.area = i;
  if (i !== null && look) fit(shapes[i].box);
  update();
}
function readAddress() {
  const asked = new URLSearchParams(location.hash.slice(1));
  if (asked.get("indicator") in data.indicators) state.indicator = asked.get("indicator");
  if (asked.get("layer") in LAYERS) state.layer = asked.get("layer");
  state.view = asked.get("view") === "table" ? "table" : "map";
  const i = data.areas.id.indexOf(asked.get("area"));
  select(i >= 0 ? i : null, true);
}

/* ---- hands: mouse, fingers, keys, search ---------------------------------------------------- */
const fingers = new Map();
let moved = false;
const here = (e) => { const box = canvas.getBoundingClientRect(); return [e.clientX - box.left, e.clientY - box.top]; };
canvas.onpointerdown = (e) => { canvas.setPointerCapture(e.pointerId); fingers.set(e.pointerId, here(e)); moved = false; };
canvas.onpointermove = (e) => {
  const now = here(e), was = fingers.get(e.pointerId);
  if (!was) return tip(at(...now), ...now);
  const others = [...fingers].filter(([id]) => id !== e.pointerId).map(([, p]) => p);
  if (others.length) {
    const [o] = others;
    zoom(Math.hypot(now[0] - o[0], now[1] - o[1]) / Math.max(Math.hypot(was[0] - o[0], was[1] - o[1]), 1), (now[0] + o[0]) / 2, (now[1] + o[1]) / 2);
    moved = true;
  } else if (moved || Math.hypot(now[0] - was[0], now[1] - was[1]) > 4) {
    pan(now[0] - was[0], now[1] - was[1]);
    moved = true; tip(null);
  } else return;
  fingers.set(e.pointerId, now);
};
canvas.onpointerup = canvas.onpointercancel = (e) => {
  const tapped = !moved && fingers.size === 1 && e.type === "pointerup";
  fingers.delete(e.pointerId);
  if (tapped) { const p = here(e), i = at(...p); select(i); if (e.pointerType !== "mouse") tip(i, ...p); }
};
canvas.onpointerleave = () => tip(null);
canvas.addEventListener("wheel", (e) => { e.preventDefault(); zoom(Math.exp(-e.deltaY / 400), ...here(e)); }, { passive: false });
canvas.onkeydown = (e) => {
  const step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[e.key];
  if (step) pan(...step);
  else if (e.key === "+" || e.key === "=") zoom(1.5);
  else if (e.key === "-") zoom(1 / 1.5);
  else if (e.key === "0") { fit(world); redraw(); }
  else if (e.key === "Escape") select(null);
  else return;
  e.preventDefault();
};
document.querySelectorAll("[data-zoom]").forEach((button) => {
  button.onclick = () => { if (button.dataset.zoom === "all") { fit(world); redraw(); } else zoom(button.dataset.zoom === "in" ? 1.6 : 1 / 1.6); };
});
const plain = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
const keys = data.areas.name.map((name, i) => plain(`${name} ${data.provinces[data.areas.province[i]]}`));
let chosen = 0;
function hits() {
  const words = plain($("search").value).split(/\s+/).filter(Boolean);
  const found = words.length ? keys.flatMap((key, i) => words.every((w) => key.includes(w)) ? [i] : []) : [];
  return found.sort((i, j) => (keys[j].startsWith(words[0]) ? 1 : 0) - (keys[i].startsWith(words[0]) ? 1 : 0)).slice(0, 8);
}
function suggest() {
  const found = hits(), list = $("hits");
  chosen = Math.min(chosen, Math.max(found.length - 1, 0));
  list.hidden = !found.length;
  $("search").setAttribute("aria-expanded", String(!!found.length));
  if (found.length) $("search").setAttribute("aria-activedescendant", `hit${chosen}`); else $("search").removeAttribute("aria-activedescendant");
  list.innerHTML = found.map((i, n) => `<li role="option" id="hit${n}" data-area="${i}" aria-selected="${n === chosen}">${escape(data.areas.name[i])} <small>${escape(data.provinces[data.areas.province[i]])}</small></li>`).join("");
}
function take(i) {
  $("search").value = data.areas.name[i];
  $("hits").hidden = true;
  $("search").setAttribute("aria-expanded", "false");
  state.view = "map";
  select(i, true);
}
$("search").oninput = () => { chosen = 0; suggest(); };
$("search").onkeydown = (e) => {
  const found = hits();
  if (e.key === "ArrowDown" || e.key === "ArrowUp") { chosen = (chosen + (e.key === "ArrowDown" ? 1 : found.length - 1)) % Math.max(found.length, 1); suggest(); e.preventDefault(); }
  else if (e.key === "Enter" && found.length) take(found[chosen]);
  else if (e.key === "Escape") $("hits").hidden = true;
};
$("search").onblur = () => setTimeout(() => { $("hits").hidden = true; }, 150);
$("hits").onpointerdown = (e) => { const hit = e.target.closest("[data-area]"); if (hit) take(Number(hit.dataset.area)); };
$("table").onclick = (e) => { const hit = e.target.closest("[data-area]"); if (hit) take(Number(hit.dataset.area)); };
$("indicator").onchange = (e) => { state.indicator = e.target.value; update(); };
$("layer").onchange = (e) => { state.layer = e.target.value; update(); };
$("view").onclick = () => { state.view = state.view === "map" ? "table" : "map"; update(); };
new ResizeObserver(resize).observe(canvas); // also draws for the first time
window.onhashchange = readAddress;

$("indicator").innerHTML = Object.entries(data.indicators).map(([id, { label }]) => `<option value="${id}">${escape(label)}</option>`).join("");
$("layer").innerHTML = Object.entries(LAYERS).map(([id, { name }]) => `<option value="${id}">${escape(name)}</option>`).join("");
readAddress();
