/* ---- numbers: what is shown of place i ---------------------------------------------------------- */
const count = data.areas.id.length;
const state = {
  what: data.start, as: "rate", layer: "above", area: null, table: false, tab: "place", sort: "belong", down: true,
  filters: data.levels.map(() => null), only: false, compare: [], chosen: null,
  plan: { by: "k", k: 20, budget: 100, fixed: 1, per: 0, min: 0, level: 0, skip: false }, tau: null, urban: "same",
};
const QUANTILES = ["q025", "q10", "q25", "q50", "q75", "q90", "q975"];
const every = [...Array(count).keys()];
const above = (i) => data.levels.map((level, n) => level.names[data.areas.levels[n][i]]);
const flagsOf = (i) => data.flags[data.areas.flags[i]];
const uncovered = (i) => flagsOf(i).includes(data.hatch.uncovered);
const unlike = (i) => flagsOf(i).includes(data.hatch.unlike);
const far = (i) => uncovered(i) || unlike(i);
const whatOf = () => data.whats.find(({ id }) => id === state.what);
/* The name of the indicator shown: a count, its rate, or a ratio. */
const shown = () => (state.as === "rate" && whatOf().rate ? whatOf().rate : state.what);
const said = () => data.indicators[shown()];
function quantile(name, q, i) {
  const indicator = data.indicators[name], own = data.numbers[indicator.base][QUANTILES.indexOf(q)][i];
  if (own === null) return null;
  return indicator.per ? (1000 * own) / data.areas[indicator.per][i] : own;
}
const hasDraws = (i) => data.draws.places.includes(i);
const gone = (i) => quantile(state.what, "q50", i) === null;
const range = (i, low, high) => span(quantile(shown(), low, i), quantile(shown(), high, i));
const spreadOf = (i) => {
  const low = quantile(shown(), "q10", i), high = quantile(shown(), "q90", i);
  return low === null ? null : low > 0 ? high / low : Infinity;
};
const aboveNation = (i) => data.above[state.what].nation[i];
const aboveLevel = (i) => data.above[state.what].level[i];
const topOf = (i) => data.top[shown()][i];
const middle = (values) => { const s = values.filter((x) => x !== null).sort((a, b) => a - b); return s.length ? s[Math.floor((s.length - 1) / 2)] : null; };
const typical = () => middle(every.map((i) => quantile(shown(), "q50", i)));
/* Ends of the 80 % range of place i's unit of a level. */
function unitRange(n, i) {
  const level = data.levels[n], unit = data.areas.levels[n][i], indicator = said(), own = level.numbers[indicator.base];
  const scaled = (q) => (indicator.per ? (1000 * own[q][unit]) / level.people[indicator.per][unit] : own[q][unit]);
  return span(scaled("q10"), scaled("q90"));
}
// A label, with its unit unless it ends with it.
const titled = ({ label, unit }) => label.toLowerCase().endsWith(unit.toLowerCase()) ? label : `${label} (${unit})`;
/* Places that the filters leave. */
const passes = (i) => state.filters.every((unit, n) => unit === null || data.areas.levels[n][i] === unit);
const left = () => every.filter((i) => passes(i) && (!state.only || !state.chosen || state.chosen.has(i)));
