"use strict";
// map_data.js, map_draw.js and map_page.js are one script, in this order; no library.
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const count = data.areas.id.length;
const above = (i) => data.levels.map((level, k) => level.names[data.areas.levels[k][i]]);
const state = { indicator: data.start, layer: "q50", area: null, view: "map" };

/* ---- numbers ---------------------------------------------------------------------------- */
const QUANTILES = ["q025", "q10", "q25", "q50", "q75", "q90", "q975"];
const HIGHEST = data.k === 1 ? "being the highest" : `being among the ${data.k} highest`;
const LAYERS = {
  q50: { name: "Middle estimate (median)", note: "The true number is as likely above as below." },
  q10: { name: "Low end: 9 in 10 likely above it", note: "Colours mean the same as for the middle estimate." },
  q90: { name: "High end: 9 in 10 likely below it", note: "Colours mean the same as for the middle estimate." },
  top: { name: `Chance of ${HIGHEST}`, note: "In percent. Near 50 nobody can tell." },
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
// A label, with its unit unless it ends with it.
const titled = ({ label, unit }) => label.toLowerCase().endsWith(unit.toLowerCase()) ? label : `${label} (${unit})`;
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
