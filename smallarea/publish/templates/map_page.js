/* ---- the page: tip, tabs, state in the address -------------------------------------------------- */
function tip(i, px, py) {
  hovered = i;
  mark();
  const box = $("tip");
  box.hidden = i === null;
  canvas.style.cursor = i === null ? "grab" : "pointer";
  if (i === null) return;
  const notes = [data.areas.surveyed?.[i] ? t("legend_asked") : "", uncovered(i) ? t("legend_uncovered") : unlike(i) ? t("legend_unlike") : ""].filter(Boolean);
  box.innerHTML = `<b>${escape(data.areas.name[i])}, ${escape(above(i)[0])}</b>`
    + (gone(i) ? th("withheld_why") : `${range(i, "q10", "q90")} ${escape(said().unit)} (80 %)<br>${escape(layerName("above"))}: ${percent(aboveNation(i))}`)
    + notes.map((note) => `<br>${escape(note)}`).join("");
  box.style.left = `${Math.max(4, Math.min(px + 14, canvas.clientWidth - 280))}px`;
  box.style.top = `${py > canvas.clientHeight - 130 ? Math.max(py - 120, 4) : py + 14}px`;
}
const TABS = { place: card, plan: () => planForm() + `<div id="found" aria-live="polite">${planFound(state.found || findPlan())}</div>`, compare: compared, next: nextPlaces, about };
function panel() {
  const focus = document.activeElement?.closest("#panel") && document.activeElement.id;
  $("tabs").innerHTML = Object.keys(TABS).map((id) => `<button type="button" role="tab" id="tab-${id}" aria-controls="panel" aria-selected="${id === state.tab}" tabindex="${id === state.tab ? 0 : -1}">${th(`tab_${id}`)}${id === "compare" && state.compare.length ? ` (${state.compare.length})` : ""}</button>`).join("");
  $("panel").innerHTML = TABS[state.tab]();
  $("panel").setAttribute("aria-labelledby", `tab-${state.tab}`);
  if (focus && $(focus)) $(focus).focus({ preventScroll: true });
}
function wording() {
  document.documentElement.lang = language;
  document.querySelectorAll("[data-t]").forEach((e) => { e.textContent = t(e.dataset.t); });
  document.querySelectorAll("[data-label]").forEach((e) => { e.setAttribute("aria-label", t(e.dataset.label)); });
  $("search").placeholder = t("find_hint");
  $("what").innerHTML = data.whats.map(({ id }) => option(id, data.indicators[id].label)).join("");
  $("as").innerHTML = option("rate", t("as_rate")) + option("count", t("as_count"));
  $("lang").innerHTML = LANGUAGES.map((name) => option(name, WORDS[name].language, name === language)).join("");
  $("standing").textContent = WORDS[language].standing[data.standing];
  $("not-said").textContent = [...WORDS[language].not_said, ...(data.reporting ? [WORDS[language].tau_not_said] : [])].join(" ");
  $("links").innerHTML = Object.entries(data.links).map(([key, file]) => `<a href="${escape(file)}">${th(key)}</a>`).join(" ");
}
function filterBoxes() {
  const inside = (n, unit) => every.some((i) => data.areas.levels[n][i] === unit && state.filters.every((chosen, m) => m <= n || chosen === null || data.areas.levels[m][i] === chosen));
  $("filters").innerHTML = data.levels.map((level, n) => ({ level, n })).filter(({ level }) => level.names.length > 1).reverse().map(({ level, n }) => {
    const units = level.names.map((name, unit) => ({ name, unit })).filter(({ unit }) => inside(n, unit)).sort((a, b) => a.name.localeCompare(b.name, language));
    return `<div class="field"><label for="filter-${n}">${escape(level.label)}</label><select id="filter-${n}" data-filter="${n}">${option("", t("all_of"), state.filters[n] === null)}${units.map(({ name, unit }) => option(unit, name, state.filters[n] === unit)).join("")}</select></div>`;
  }).join("");
}
function update({ replan = false } = {}) {
  if (replan) { state.found = null; if (state.tab === "plan" || state.chosen) findPlan(); }
  const what = whatOf();
  $("what").value = state.what;
  $("as").disabled = !what.rate;
  $("as").value = what.rate ? state.as : "rate";
  $("layer").innerHTML = LAYERS.map((id) => option(id, layerName(id), id === state.layer)).join("");
  $("why").textContent = t(!what.rate ? "as_ratio_why" : `as_${state.as}_why`);
  document.body.classList.toggle("tabular", state.table);
  $("table").hidden = !state.table;
  $("view").textContent = t(state.table ? "to_map" : "to_table");
  $("view").setAttribute("aria-pressed", String(state.table));
  filterBoxes();
  mix();
  legend();
  panel();
  if (state.table) table();
  redraw();
  history.replaceState(null, "", "#" + link());
}
/* ---- state, kept in the address so that a view can be shared -------------------------------------- */
function link() {
  const p = state.plan, parts = { what: state.what, as: state.as, layer: state.layer, tab: state.tab, lang: language };
  if (state.area !== null) parts.area = data.areas.id[state.area];
  if (state.table) Object.assign(parts, { view: "table", sort: state.sort, down: Number(state.down) });
  state.filters.forEach((unit, n) => { if (unit !== null) parts[`in-${data.levels[n].key}`] = data.levels[n].id[unit]; });
  if (state.compare.length) parts.compare = state.compare.map((i) => data.areas.id[i]).join(",");
  if (state.chosen) parts.plan = [p.by, p.k, p.budget, p.fixed, p.per, p.min, p.level, Number(p.skip)].join(",");
  if (state.tau) parts.tau = state.tau;
  if (state.urban !== "same") parts.urban = state.urban;
  if (state.only) parts.only = 1;
  return new URLSearchParams(parts);
}
function readAddress() {
  const asked = address(), number = (text, least) => (Number.isFinite(Number(text)) && Number(text) >= least ? Number(text) : least);
  const codes = new Map(data.areas.id.map((id, i) => [id, i]));
  language = preferred();
  if (data.whats.some(({ id }) => id === asked.get("what"))) state.what = asked.get("what");
  state.as = asked.get("as") === "count" && whatOf().rate ? "count" : "rate";
  if (LAYERS.includes(asked.get("layer"))) state.layer = asked.get("layer");
  if (asked.get("tab") in TABS) state.tab = asked.get("tab");
  state.table = asked.get("view") === "table";
  state.sort = asked.get("sort") || state.sort;
  state.down = asked.get("down") !== "0";
  state.filters = data.levels.map(({ key, id }) => { const unit = id.indexOf(asked.get(`in-${key}`)); return unit >= 0 ? unit : null; });
  state.compare = (asked.get("compare") || "").split(",").map((id) => codes.get(id)).filter((i) => i !== undefined && hasDraws(i));
  state.tau = data.draws.tau && Number(asked.get("tau")) > 0 ? Number(asked.get("tau")) : null;
  state.urban = ["half", "twice"].includes(asked.get("urban")) && data.areas.urban ? asked.get("urban") : "same";
  state.only = asked.get("only") === "1";
  const p = (asked.get("plan") || "").split(",");
  if (p.length === 8) state.plan = { by: p[0] === "budget" ? "budget" : "k", k: Math.max(1, Math.round(number(p[1], 1))), budget: number(p[2], 0), fixed: number(p[3], 0), per: number(p[4], 0), min: Math.round(number(p[5], 0)), level: data.levels[p[6]] ? Number(p[6]) : 0, skip: p[7] === "1" };
  state.area = codes.get(asked.get("area")) ?? null;
  if (state.area !== null) fit(shapes[state.area].box);
  wording();
  update({ replan: p.length === 8 });
}
function select(i, { look = false, tab = true } = {}) {
  state.area = i;
  if (tab) state.tab = "place";
  if (i !== null && look) fit(shapes[i].box);
  update();
  $("panel").scrollTop = 0;
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
  else if (e.key === "0") { fit(world_box); redraw(); }
  else if (e.key === "Escape") select(null);
  else return;
  e.preventDefault();
};
document.querySelectorAll("[data-zoom]").forEach((button) => {
  button.onclick = () => { if (button.dataset.zoom === "all") { fit(world_box); redraw(); } else zoom(button.dataset.zoom === "in" ? 1.6 : 1 / 1.6); };
});
const find = finder(data.areas.name, every.map((i) => above(i)[0]), data.spelling, data.areas.id, data.areas.people);
let hit = 0;
const hits = () => find($("search").value).slice(0, 8);
function suggest() {
  const found = hits(), list = $("hits");
  hit = Math.min(hit, Math.max(found.length - 1, 0));
  list.hidden = !found.length;
  $("search").setAttribute("aria-expanded", String(!!found.length));
  if (found.length) $("search").setAttribute("aria-activedescendant", `hit${hit}`); else $("search").removeAttribute("aria-activedescendant");
  list.innerHTML = found.map((i, n) => `<li role="option" id="hit${n}" data-area="${i}" aria-selected="${n === hit}">${escape(data.areas.name[i])} <small>${escape(above(i)[0])}</small></li>`).join("");
}
function take(i) {
  $("search").value = data.areas.name[i];
  $("hits").hidden = true;
  $("search").setAttribute("aria-expanded", "false");
  select(i, { look: true });
}
$("search").oninput = () => { hit = 0; suggest(); };
$("search").onkeydown = (e) => {
  const found = hits();
  if (e.key === "ArrowDown" || e.key === "ArrowUp") { hit = (hit + (e.key === "ArrowDown" ? 1 : found.length - 1)) % Math.max(found.length, 1); suggest(); e.preventDefault(); }
  else if (e.key === "Enter" && found.length) take(found[hit]);
  else if (e.key === "Escape") $("hits").hidden = true;
};
$("search").onblur = () => setTimeout(() => { $("hits").hidden = true; }, 150);
$("hits").onpointerdown = (e) => { const own = e.target.closest("[data-area]"); if (own) take(Number(own.dataset.area)); };
$("table").onclick = (e) => {
  const own = e.target.closest("[data-area], [data-sort], #more");
  if (!own) return;
  if (own.dataset.area) select(Number(own.dataset.area), { look: true });
  else if (own.id === "more") { rowsShown += 5 * STEP; table(); }
  else {
    const id = own.dataset.sort;
    state.down = sorted().column.id === id ? !state.down : !["name", ...data.levels.map(({ key }) => key)].includes(id);
    state.sort = id; rowsShown = STEP;
    update();
    $("table").querySelector(`[data-sort="${id}"]`).focus();
  }
};
$("panel").onclick = (e) => {
  const own = e.target.closest("[data-area], [data-drop], #pick, #back, #clear, #only");
  if (!own) return;
  if (own.dataset.area) return select(Number(own.dataset.area), { look: true });
  if (own.dataset.drop) state.compare = state.compare.filter((i) => i !== Number(own.dataset.drop));
  else if (own.id === "pick") state.compare = state.compare.includes(state.area) ? state.compare.filter((i) => i !== state.area) : [...state.compare, state.area];
  else if (own.id === "clear") state.compare = [];
  else if (own.id === "only") { state.only = own.checked; if (own.checked) state.table = true; }
  else if (own.id === "back") { fit(world_box); return select(null); }
  update();
};
$("panel").onchange = (e) => {
  const p = state.plan, own = e.target, id = own.dataset.plan;
  if (own.id === "compare-add") {
    const i = find(own.value.replace(/,.*$/, "")).find((i) => `${data.areas.name[i]}, ${above(i)[0]}` === own.value) ?? find(own.value)[0];
    if (i !== undefined && hasDraws(i) && !state.compare.includes(i)) state.compare = [...state.compare, i];
    return update();
  }
  if (own.id === "plan-fix") state.tau = own.checked ? tauEnds()[1] : null;
  else if (own.id === "plan-tau") state.tau = Number(own.value);
  else if (own.id === "plan-urban") state.urban = own.value;
  else if (id === "by") p.by = own.value;
  else if (id === "skip") p.skip = own.checked;
  else if (id) p[id] = Math.max(id === "k" ? 1 : 0, ["k", "min", "level"].includes(id) ? Math.round(Number(own.value)) || 0 : Number(own.value) || 0);
  else return;
  update({ replan: true });
};
$("panel").oninput = (e) => {
  if (e.target.id !== "compare-add") return;
  $("compare-hits").innerHTML = find(e.target.value).slice(0, 12).map((i) => option(`${data.areas.name[i]}, ${above(i)[0]}`, "")).join("");
};
const openTab = (id) => { state.tab = id; update({ replan: id === "plan" && !state.found }); };
$("tabs").onclick = (e) => { const own = e.target.closest("[role=tab]"); if (own) { openTab(own.id.slice(4)); $("panel").scrollTop = 0; $(own.id).focus(); } };
$("tabs").onkeydown = (e) => {
  const ids = Object.keys(TABS), step = { ArrowRight: 1, ArrowLeft: ids.length - 1 }[e.key];
  if (!step) return;
  openTab(ids[(ids.indexOf(state.tab) + step) % ids.length]);
  $(`tab-${state.tab}`).focus();
  e.preventDefault();
};
$("what").onchange = (e) => { state.what = e.target.value; if (!whatOf().rate) state.as = "rate"; update({ replan: true }); };
$("as").onchange = (e) => { state.as = e.target.value; update({ replan: true }); };
$("layer").onchange = (e) => { state.layer = e.target.value; update(); };
$("filters").onchange = (e) => {
  const n = Number(e.target.dataset.filter), id = e.target.id;
  state.filters[n] = e.target.value === "" ? null : Number(e.target.value);
  for (let m = 0; m < n; m++) if (state.filters[m] !== null && !every.some((i) => passes(i))) state.filters[m] = null;
  rowsShown = STEP;
  const some = every.filter(passes), boxes = (some.length === count ? every : some).map((i) => shapes[i].box);
  fit(some.length === count ? world_box : boxes.reduce((b, box) => [Math.min(b[0], box[0]), Math.min(b[1], box[1]), Math.max(b[2], box[2]), Math.max(b[3], box[3])]), 0.9);
  update({ replan: true });
  $(id)?.focus();
};
$("lang").onchange = (e) => { language = e.target.value; wording(); update(); };
$("view").onclick = () => { state.table = !state.table; update(); };
$("legend").onclick = (e) => { if (e.target.closest("#fold")) { folded = !folded; legend(); $("fold").focus(); } };
$("csv").onclick = download;
$("print").onclick = () => print();
new ResizeObserver(resize).observe(canvas); // also draws for the first time
window.onhashchange = readAddress;
if (innerWidth <= 760) $("choose").open = false;
// Draws stand last on the page, so that the map need not wait for them; what needs them waits.
if (["plan", "compare"].some((key) => address().has(key)) || ["plan", "compare", "about"].includes(address().get("tab"))) addEventListener("DOMContentLoaded", readAddress);
else readAddress();
