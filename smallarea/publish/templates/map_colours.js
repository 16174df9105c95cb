/* ---- colours: what is not known has no colour --------------------------------------------------- */
const INK = ["#fdf5cd", "#dfeab1", "#b3d9a5", "#7cc2a2", "#4ba5a5", "#3583a1", "#2b5e91", "#283872"];
// Blue to orange, told apart by colour-blind eyes; the middle is grey: nobody can tell.
const SIDES = ["#08519c", "#4a90c4", "#a9c9de", "#d9d9d9", "#f3c08a", "#e08214", "#993404"];
const SIDE_ENDS = [5, 20, 40, 60, 80, 95];
const GREY = "#c9ced3", PALE = "#dcdcdc";
const SPREADS = [3, 6, 12]; // high over low, where colours get paler and coarser
const LAYERS = ["above", "top", "q50", "q10", "q90", "spread"];
const layerName = (id) => id === "above" ? t(said().ratio ? "layer_above_ratio" : "layer_above") : t(`layer_${id}`, { highest: highest() });
const layerNote = (id) => t({ above: "layer_above_note", top: "layer_top_note", q50: "layer_q50_note", spread: "layer_spread_note" }[id] || "layer_same_note");
function value(i) {
  if (state.layer === "above") return aboveNation(i);
  if (state.layer === "top") return topOf(i);
  return state.layer === "spread" ? spreadOf(i) : quantile(shown(), state.layer, i);
}
function tidy(x) {
  const power = 10 ** Math.floor(Math.log10(x));
  const steps = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];
  const step = steps.reduce((best, s) => (Math.abs(Math.log(x / power / s)) < Math.abs(Math.log(x / power / best)) ? s : best));
  return Number((step * power).toPrecision(2));
}
function classBreaks() {
  if (state.layer === "above") return SIDE_ENDS;
  if (state.layer === "top") return [5, 20, 40, 60, 80, 95];
  if (state.layer === "spread") return [2, 3, 5, 10, 20, 50];
  // The same colours for low, middle and high estimates, so that switching between them shows the range.
  const share = (q, at) => {
    const all = every.map((i) => quantile(shown(), q, i)).filter((x) => x > 0).sort((a, b) => a - b);
    return all.length ? tidy(all[Math.floor(at * (all.length - 1))]) : 1;
  };
  const at = [share("q10", 0.3), ...[0.1, 0.3, 0.5, 0.7, 0.9].map((x) => share("q50", x)), share("q90", 0.7)];
  return at.sort((a, b) => a - b).filter((x, n) => n === 0 || x > at[n - 1]);
}
const classColours = (breaks) => state.layer === "above" ? SIDES : Array.from({ length: breaks.length + 1 }, (_, n) => INK[Math.round((n * (INK.length - 1)) / breaks.length)]);
const classOf = (breaks, x) => breaks.filter((b) => x >= b).length;
const mixed = (a, b, share) => "#" + [1, 3, 5].map((n) => Math.round(parseInt(a.slice(n, n + 2), 16) * (1 - share) + parseInt(b.slice(n, n + 2), 16) * share).toString(16).padStart(2, "0")).join("");
/* A colour of the middle estimate: neighbouring classes become one, and paler, the less is known. */
function suppressed(ink, n, level) {
  if (level === SPREADS.length) return PALE;
  const size = 2 ** level, first = Math.floor(n / size) * size, last = Math.min(first + size - 1, ink.length - 1);
  return mixed(mixed(ink[first], ink[last], 0.5), PALE, 0.27 * level);
}
const known = (i) => classOf(SPREADS, spreadOf(i));
/* The colour of every place; made anew when what is shown changes, not when the map moves. */
let paint = [], breaks = [], ink = [];
function mix() {
  breaks = classBreaks();
  ink = classColours(breaks);
  paint = every.map((i) => {
    const x = value(i);
    if (x === null || x === undefined) return GREY;
    const n = classOf(breaks, x);
    if (state.layer === "q50") return suppressed(ink, n, Math.min(known(i) + (far(i) ? 1 : 0), SPREADS.length));
    return far(i) && state.layer === "above" ? mixed(ink[n], PALE, 0.5) : ink[n];
  });
}
const HATCHES = { uncovered: "repeating-linear-gradient(135deg,#7cc2a2 0 3px,#fff 3px 4px,#3a4653 4px 5px)", unlike: "repeating-linear-gradient(45deg,#7cc2a2 0 3px,#fff 3px 4px,#3a4653 4px 5px)" };
let folded = false;
function legend() {
  const unit = { above: " %", top: " %", spread: " ×" }[state.layer] || "";
  const line = (n) => n === 0 ? t("under", { x: show(breaks[0]) + unit }) : n === breaks.length ? t("over", { x: show(breaks[n - 1]) + unit }) : t("between", { a: show(breaks[n - 1]), b: show(breaks[n]) + unit });
  const rows = ink.map((c, n) => `<li><i style="background:${c}"></i>${escape(line(n))}</li>`).reverse();
  const wedge = [0, 1, 2, 3].map((level) => `<li>${ink.map((_, n) => `<i class="cell" style="background:${suppressed(ink, n, level)}"></i>`).join("")}<span>${escape(level < SPREADS.length ? t("times_up_to", { x: SPREADS[level] }) : t("times_over", { x: SPREADS[level - 1] }))}</span></li>`);
  const ends = `<li class="ends"><span>${show(breaks[0])}</span><span>${show(breaks[breaks.length - 1])}</span></li>`;
  const notes = [
    [data.areas.surveyed?.some(Boolean), `<i style="border:2px solid #1c2733"></i>`, "legend_asked"],
    [every.some(uncovered), `<i style="background:${HATCHES.uncovered}"></i>`, "legend_uncovered"],
    [every.some(unlike), `<i style="background:${HATCHES.unlike}"></i>`, "legend_unlike"],
    [every.some((i) => gone(i)), `<i style="background:${GREY}"></i>`, "legend_withheld"],
    [state.chosen, `<i style="border:3px solid #d1007a"></i>`, "legend_chosen"],
  ].filter(([used]) => used).map(([, mark, key]) => `<li>${mark}${th(key)}</li>`);
  if (data.cells[0]) notes.push(`<li>${th(data.cells[0] === data.cells[1] ? "cells_all" : "cells_some", { n: whole(data.cells[0]), m: whole(data.cells[1]) })}</li>`);
  $("legend").classList.toggle("folded", folded);
  $("legend").innerHTML = `<h2>${escape(said().label)} <button type="button" id="fold" aria-expanded="${!folded}" aria-label="${th("legend")}">${folded ? "▸" : "▾"}</button></h2><p>${escape(layerName(state.layer))}. ${escape(layerNote(state.layer))}</p>`
    + (state.layer === "q50" ? `<ul class="wedge">${ends}${wedge.join("")}</ul>` : `<ul>${rows.join("")}</ul>`) + `<ul class="notes">${notes.join("")}</ul>`;
}
