/* ---- words -------------------------------------------------------------------------------- */
function legend() {
  const breaks = classBreaks(), ink = colours(breaks), layer = LAYERS[state.layer];
  const unit = { top: " %", spread: " ×" }[state.layer] || "";
  const line = (n) => n === 0 ? `under ${show(breaks[0])}${unit}` : n === breaks.length ? `${show(breaks[n - 1])}${unit} and more` : `${show(breaks[n - 1])} to ${show(breaks[n])}${unit}`;
  const used = { hatch: data.areas.id.some((_, i) => hatched(i)), grey: data.areas.id.some((_, i) => value(i) === null), outline: data.areas.surveyed?.some(Boolean) };
  $("legend").innerHTML = `<h2>${escape(data.indicators[state.indicator].label)}</h2><p>${escape(layer.name)}. ${escape(layer.note)}</p><ul>`
    + ink.map((c, n) => `<li><i style="background:${c}"></i>${line(n)}</li>`).reverse().join("")
    + `</ul><ul class="notes">`
    + (used.outline ? `<li><i style="border:2px solid #1c2733"></i>people were interviewed here</li>` : "")
    + (used.hatch ? `<li><i style="background:repeating-linear-gradient(135deg,#7cc2a2 0 3px,#fff 3px 4px,#3a4653 4px 5px)"></i>outside the survey: extrapolated</li>` : "")
    + (used.grey ? `<li><i style="background:${GREY}"></i>withheld: too few live there</li>` : "")
    + (data.cells ? `<li>${escape(data.cells)}</li>` : "") + "</ul>";
}
function bars(indicator, i) {
  const q = QUANTILES.map((name) => quantile(indicator, name, i));
  const floor = Math.max(q[6] / 1e4, 1e-9), log = (x) => Math.log10(Math.max(x, floor));
  const nation = indicator.nation && (indicator.per !== null || indicator.ratio) ? indicator.nation : null;
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
      + `<p class="range">${show(n.q10)} to ${show(n.q90)}</p><p>If the models and what they assume are right: eight times in ten, the true number lies in this range; nineteen times in twenty between ${show(n.q025)} and ${show(n.q975)}.</p>`
      + `<h3>How to read the map</h3><p>Point at a place, tap it, or search for it. Each one has a <b>range</b>, not a number${data.areas.surveyed ? ": wide where nobody was interviewed" : ""}.</p>`
      + `<p>To choose where to look first, show the <b>chance of ${HIGHEST}</b>; it takes the uncertainty into account, the colours of the middle estimate do not.</p>` + meaning();
    return;
  }
  const a = data.areas, ranks = data.ranks[state.indicator], chance = data.top[state.indicator][i];
  const flags = flagsOf(i).filter((f) => f !== "synthetic").map((f) => `<li>${escape(data.words[f] || f)}</li>`).join("");
  const head = `<h2>${escape(a.name[i])}</h2><p class="where">${[...new Set(above(i))].map(escape).join(" · ")}</p>`
    + (!a.surveyed ? "" : `<p>${a.surveyed[i] ? "Some of its people were interviewed; their answers weigh in." : "Nobody was interviewed here: the range comes from places that resemble it."}</p>`);
  const notes = flags ? `<h3>Note</h3><ul class="notes-list">${flags}</ul>` : "";
  const numbers = quantile(indicator, "q50", i) === null ? "" : `<h3>${escape(indicator.label)}</h3>`
    + `<p class="range">${range(indicator, i, "q10", "q90")}</p><p>If the models and what they assume are right: eight times in ten, the true number lies in this range. Its middle (the median) is ${show(quantile(indicator, "q50", i))}.</p>`
    + bars(indicator, i)
    + `<p class="key">Dark: half of all plausible values, ${range(indicator, i, "q25", "q75")}. Medium: 80 %. Light: 95 %, ${range(indicator, i, "q025", "q975")}.</p>`
    + `<h3>Compared with the others</h3><p>Chance of ${HIGHEST}: <b>${percent(chance)}</b>.</p>`
    + `<p>Its place among ${count.toLocaleString("en")} could be anywhere from ${ranks[0][i].toLocaleString("en")} to ${ranks[1][i].toLocaleString("en")} (1 = highest; 9 times in 10).</p>`;
  $("panel").innerHTML = head + numbers + notes + `<p><button type="button" id="back">Whole country</button></p>` + meaning();
  $("back").onclick = () => { select(null); fit(world); redraw(); };
}
const meaning = () => `<details><summary>What the numbers mean</summary>${data.meaning.map((s) => `<p>${escape(s)}</p>`).join("")}</details>`;
function table() {
  const indicator = data.indicators[state.indicator], a = data.areas;
  const order = [...Array(count).keys()].sort((i, j) => a.name[i].localeCompare(a.name[j]));
  $("table").innerHTML = `<table><caption>${escape(titled(indicator))}, in alphabetical order. ${escape(data.notice)}</caption><thead><tr><th>${escape(data.labels.area)}<th>${escape(data.levels[0].label)}<th>Range, 8 in 10<th>Range, 19 in 20<th>Chance of ${HIGHEST}${a.surveyed ? "<th>Interviewed" : ""}<th>Notes</thead><tbody>`
    + order.map((i) => {
      const gone = quantile(indicator, "q50", i) === null;
      return `<tr><td><button type="button" data-area="${i}">${escape(a.name[i])}</button><td>${escape(above(i)[0])}<td class="n">${gone ? "withheld" : range(indicator, i, "q10", "q90")}<td class="n">${gone ? "" : range(indicator, i, "q025", "q975")}<td class="n">${gone ? "" : percent(data.top[state.indicator][i])}${a.surveyed ? `<td>${a.surveyed[i] ? "yes" : "no"}` : ""}<td>${flagsOf(i).filter((f) => f !== "synthetic").map((f) => escape(data.words[f] || f)).join("; ")}`;
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
  box.innerHTML = `<b>${escape(data.areas.name[i])}, ${escape(above(i)[0])}</b>`
    + (gone ? "numbers withheld: too few live there" : `${range(indicator, i, "q10", "q90")} ${escape(indicator.unit)}, 8 times in 10<br>chance of ${HIGHEST}: ${percent(data.top[state.indicator][i])}`)
    + (data.areas.surveyed ? `<br>${data.areas.surveyed[i] ? "interviewed" : "nobody interviewed"}${hatched(i) ? ", extrapolated" : ""}` : hatched(i) ? "<br>extrapolated" : "");
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
const find = finder(data.areas.name, data.areas.name.map((_, i) => above(i)[0]), data.spelling);
let chosen = 0;
const hits = () => find($("search").value).slice(0, 8);
function suggest() {
  const found = hits(), list = $("hits");
  chosen = Math.min(chosen, Math.max(found.length - 1, 0));
  list.hidden = !found.length;
  $("search").setAttribute("aria-expanded", String(!!found.length));
  if (found.length) $("search").setAttribute("aria-activedescendant", `hit${chosen}`); else $("search").removeAttribute("aria-activedescendant");
  list.innerHTML = found.map((i, n) => `<li role="option" id="hit${n}" data-area="${i}" aria-selected="${n === chosen}">${escape(data.areas.name[i])} <small>${escape(above(i)[0])}</small></li>`).join("");
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

$("indicator").innerHTML = Object.entries(data.indicators).map(([id, { label }]) => `<option value="${escape(id)}">${escape(label)}</option>`).join("");
$("layer").innerHTML = Object.entries(LAYERS).map(([id, { name }]) => `<option value="${escape(id)}">${escape(name)}</option>`).join("");
readAddress();
