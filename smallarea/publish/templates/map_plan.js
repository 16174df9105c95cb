/* ---- the planner's panel -------------------------------------------------------------------------- */
const unpacked = {};
const totals = () => Object.keys(data.draws.totals);
/* The count that panels speak of: the one shown, or the first there are draws of. */
const counted = () => (totals().includes(state.what) ? state.what : totals()[0]);
const draws = () => {
  const name = counted(), lines = document.getElementById("draws").textContent.split("\n");
  return (unpacked[name] ??= unpack(lines[totals().indexOf(name)], data.draws.totals[name], data.draws.n));
};
const sizeOf = (i) => data.areas[data.reference[counted()]][i];
const tauAt = (d) => (data.draws.tau ? data.draws.tau[d] : 1);
const tauEnds = () => quantiles(data.draws.tau, [0.025, 0.5, 0.975]);
/* By how much more readily than the nation a place tells, if towns differ; the sum of all places stays. */
function relative() {
  const n = data.draws.n, values = draws(), places = data.draws.places, twice = { half: 0.5, twice: 2 }[state.urban];
  if (!twice || !data.areas.urban) return null;
  const raw = places.map((i) => 1 + (twice - 1) * (data.areas.urban[i] / 100));
  let base = 0, moved = 0;
  raw.forEach((r, p) => { let s = 0; for (let d = 0; d < n; d++) s += values[p * n + d] * tauAt(d); base += s; moved += s / r; });
  return raw.map((r) => (r * moved) / base);
}
/* People of places in draw order: {places, people, measure, weight}; only of some places. */
function world(some, scenario = true) {
  const n = data.draws.n, values = draws(), rows = new Map(data.draws.places.map((i, p) => [i, p])), tell = scenario ? relative() : null;
  const people = new Float32Array(some.length * n), measure = new Float32Array(some.length * n);
  some.forEach((i, at) => {
    const p = rows.get(i), by = tell ? tell[p] : 1;
    for (let d = 0; d < n; d++) {
      const x = (values[p * n + d] / by) * (state.tau && data.draws.tau ? tauAt(d) / state.tau : 1);
      people[at * n + d] = x;
      measure[at * n + d] = state.as === "rate" ? (1000 * x) / sizeOf(i) : x;
    }
  });
  const weight = Array.from({ length: n }, (_, d) => (state.tau ? 1 : tauAt(d)));
  return { places: some, people, measure, weight };
}
/* People of all places in every draw. */
function everybody() {
  const all = world(data.draws.places), n = data.draws.n;
  return Array.from({ length: n }, (_, d) => all.places.reduce((s, _, p) => s + all.people[p * n + d], 0));
}
const candidates = () => data.draws.places.filter((i) => state.filters.every((unit, n) => unit === null || data.areas.levels[n][i] === unit) && sizeOf(i) > 0 && !(state.plan.skip && far(i)));
function conditions(some) {
  const p = state.plan, unit = some.map((i) => data.areas.levels[p.level][i]);
  return { k: Math.min(p.k, some.length), min: p.min, unit, ...(p.by === "budget" ? { budget: p.budget, cost: some.map((i) => p.fixed + (p.per * data.areas.people[i]) / 1000) } : {}) };
}
/* Why there is no set, in words; null if there can be one. */
function refused(some, asked) {
  if (!some.length) return t("plan_nothing");
  const sizes = new Map();
  asked.unit.forEach((unit) => sizes.set(unit, (sizes.get(unit) || 0) + 1));
  const few = [...sizes].find(([, number]) => number < asked.min);
  if (asked.min && few) return t("plan_few", { unit: data.levels[state.plan.level].names[few[0]] });
  if (asked.min && !asked.cost && asked.min * sizes.size > asked.k) return t("plan_asks", { n: asked.min * sizes.size });
  return null;
}
function findPlan() {
  const some = candidates(), asked = conditions(some), no = refused(some, asked);
  state.chosen = state.found = null;
  if (no) return { no };
  const here = world(some), found = plan(here.measure, here.people, here.weight, some.map(sizeOf), asked);
  if (!found || !found.set.length) return { no: t(asked.cost ? "plan_poor" : "plan_nothing") };
  state.chosen = new Set(found.set.map((p) => some[p]));
  state.found = { ...found, belongs: new Map(some.map((i, p) => [i, found.belongs[p]])), asked, some, nation: everybody() };
  if (state.urban !== "same") {
    const plain = world(some, false), usual = plan(plain.measure, plain.people, plain.weight, some.map(sizeOf), asked);
    state.found.kept = usual.set.filter((p) => state.chosen.has(some[p])).length;
    state.found.usual = usual.set.length;
  }
  return state.found;
}
const option = (value, text, chosen) => `<option value="${escape(value)}"${chosen ? " selected" : ""}>${escape(text)}</option>`;
const numberBox = (id, key, value, least = 0) => `<label for="${id}">${th(key)}</label><input id="${id}" data-plan="${id.slice(5)}" type="number" min="${least}" value="${value}" inputmode="decimal">`;
function planForm() {
  const p = state.plan, ends = data.draws.tau && tauEnds();
  const filtered = state.filters.some((unit) => unit !== null) ? `<p class="key">${th("plan_filtered", { n: whole(candidates().length) })}</p>` : "";
  const why = t("plan_why", { what: t(state.as === "rate" ? "plan_by_rate" : "plan_by_count"), n: data.draws.n });
  return `<h2>${th("plan")}</h2><p class="where">${escape(titled(data.indicators[counted()]))}</p><p>${escape(why)}${data.draws.tau ? ` ${th("tau_plan")}` : ""}${state.as === "rate" ? ` ${th("plan_rate_hint")}` : ""}${data.standing === "public" ? ` ${th("plan_level", { areas: data.labels.area })}` : ""}</p>${filtered}`
    + `<div class="form"><label for="plan-by">${th("plan_by")}</label><select id="plan-by" data-plan="by">${option("k", t("plan_by_k"), p.by === "k")}${option("budget", t("plan_by_budget"), p.by === "budget")}</select>`
    + (p.by === "k" ? numberBox("plan-k", "plan_k", p.k, 1) : numberBox("plan-budget", "plan_budget", p.budget) + numberBox("plan-fixed", "plan_fixed", p.fixed) + numberBox("plan-per", "plan_per", p.per))
    + numberBox("plan-min", "plan_min", p.min) + `<label for="plan-level">${th("plan_min_of")}</label><select id="plan-level" data-plan="level">${data.levels.map((level, n) => option(n, level.label, p.level === n)).join("")}</select>`
    + `<label class="tick"><input type="checkbox" id="plan-skip" data-plan="skip"${p.skip ? " checked" : ""}> ${th("plan_skip")}</label>`
    + (ends ? `<label class="tick"><input type="checkbox" id="plan-fix"${state.tau ? " checked" : ""}> ${th("tau_let")}</label><label for="plan-tau">${th("tau")}: <b>${state.tau ? th("tau_fixed", { x: show(100 * state.tau) }) : th("tau_believed", { a: show(100 * ends[0]), b: show(100 * ends[2]) })}</b></label><input type="range" id="plan-tau" min="${ends[0] / 1.5}" max="${ends[2] * 1.5}" step="${ends[0] / 50}" value="${state.tau || ends[1]}"${state.tau ? "" : " disabled"}><p class="key">${th("tau_why")}</p>` : "")
    + (data.areas.urban ? `<label for="plan-urban">${th("urban")}</label><select id="plan-urban">${["same", "half", "twice"].map((id) => option(id, t(`urban_${id}`), state.urban === id)).join("")}</select>` : "")
    + "</div>";
}
function planFound(found) {
  if (found.no) return `<p role="alert">${escape(found.no)}</p>`;
  const n = found.set.length, unit = data.indicators[counted()].unit, at = [0.1, 0.5, 0.9];
  const held = quantiles(found.kinds.chosen, at), shares = (kind) => quantiles(found.kinds[kind].map((x, d) => x / found.nation[d]), at);
  const share = shares("chosen"), lost = found.parts.map((x) => 1 - x), ends = quantiles(lost, [0.1, 0.9]), mean = lost.reduce((s, x) => s + x, 0) / lost.length;
  const sure = [...state.chosen].filter((i) => found.belongs.get(i) >= 0.9).length, away = [...state.chosen].filter(far).length;
  const row = (kind, key) => { const q = quantiles(found.kinds[kind], at), s = shares(kind); return `<tr><th scope="row">${th(key)}<td class="n">${span(q[0], q[2])}<td class="n">${percents(s[0], s[2])}`; };
  const list = [...state.chosen].sort((a, b) => found.belongs.get(b) - found.belongs.get(a));
  return `<p class="say">${th("plan_reach", { a: span(held[0], held[2]), m: show(held[1]), unit, s: percents(share[0], share[2]) })}</p>`
    + `<p>${th("plan_sure", { n, x: show(found.overlap), c: `${show(100 * mean)} %`, d: percents(ends[0], ends[1]) })} ${sure ? th("plan_some_sure", { n: sure }) : th("plan_unsure")}${away ? ` ${th("plan_far", { n: away })}` : ""}</p>`
    + (found.cost ? `<p>${th("plan_cost", { x: show(found.cost), b: show(found.asked.budget), g: `${show(100 + 100 * found.gain)} %` })}</p>` : "")
    + (found.usual ? `<p>${th("urban_why", { n: found.kept, k: found.usual })}</p>` : "")
    + `<h3>${th("plan_others")}</h3><table class="small"><thead><tr><th>${th("plan_set")}<th>${th("plan_holds")}<th>${th("plan_share")}</thead><tbody>${row("best", "plan_best")}${row("chosen", "plan_this")}${row("largest", "plan_large")}${row("random", "plan_random")}</tbody></table>`
    + `<h3>${th("plan_list")}</h3><ol>${list.map((i) => `<li><button type="button" class="link" data-area="${i}">${escape(data.areas.name[i])}</button>, ${escape(above(i)[0])}: ${th("plan_belongs", { p: percent(100 * found.belongs.get(i)) })}${far(i) ? ` (${th(uncovered(i) ? "legend_uncovered" : "legend_unlike")})` : ""}</li>`).join("")}</ol>`
    + `<p class="buttons"><label class="tick"><input type="checkbox" id="only"${state.only ? " checked" : ""}> ${th("only_chosen")}</label></p>`;
}
