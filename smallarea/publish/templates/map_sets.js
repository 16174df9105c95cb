/* ---- sets of places, from joint draws; nothing here touches the page ----------------------------- */
/* Letters to numbers of people: Float32Array, place by place, n draws each. */
function unpack(line, { low, step }, n) {
  const codes = new Uint8Array(128);
  [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"].forEach((c, code) => { codes[c.charCodeAt(0)] = code; });
  const values = new Float32Array(low.length * n);
  for (let p = 0; p < low.length; p++) {
    const table = Array.from({ length: 64 }, (_, code) => Math.exp(low[p] + step[p] * code));
    for (let d = 0; d < n; d++) values[p * n + d] = table[codes[line.charCodeAt(p * n + d)]];
  }
  return values;
}
function quantiles(values, at) {
  const sorted = Float64Array.from(values).sort();
  return at.map((q) => {
    const x = q * (sorted.length - 1), below = Math.floor(x);
    return sorted[below] + (x - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below]);
  });
}
/* The set with the largest sum of worth: `k` places, or as many as `budget` pays for at `cost`; at least `min`
   of every `unit`. By number it is exact (a unit's largest can always be in it); by budget the most worth per
   cost comes first. Returns positions; null where it cannot be. */
function choose(worth, { k, budget, cost, unit, min }) {
  const per = cost ? worth.map((w, i) => (cost[i] > 0 ? w / cost[i] : Infinity)) : worth;
  const better = (a, b) => per[b] - per[a] || a - b, taken = new Set();
  if (min) {
    const units = new Map();
    for (let i = 0; i < per.length; i++) if (units.has(unit[i])) units.get(unit[i]).push(i); else units.set(unit[i], [i]);
    for (const own of units.values()) for (const i of own.sort(better).slice(0, min)) taken.add(i);
  }
  let spent = 0;
  for (const i of taken) spent += cost ? cost[i] : 1;
  if (spent > (cost ? budget : k)) return null;
  const rest = [];
  for (let i = 0; i < per.length; i++) if (!taken.has(i)) rest.push(i);
  const last = cost ? -Infinity : per.length && Float64Array.from(rest, (i) => per[i]).sort()[Math.max(rest.length - (k - spent), 0)];
  for (const i of rest.filter((i) => per[i] >= last).sort(better)) {
    if (!cost && spent >= k) break;
    if (cost && spent + cost[i] > budget) continue;
    taken.add(i); spent += cost ? cost[i] : 1;
  }
  return [...taken].sort(better);
}
/* No set within the budget has more worth than this: places taken in part, minimums left out. */
function mostWorth(worth, { budget, cost }) {
  const order = Array.from(worth.keys()).sort((a, b) => worth[b] / cost[b] - worth[a] / cost[a]);
  let rest = budget, sum = 0;
  for (const i of order) {
    const part = Math.min(1, cost[i] > 0 ? rest / cost[i] : 1);
    if (part <= 0) break;
    sum += part * worth[i]; rest -= part * cost[i];
  }
  return sum;
}
/* Random numbers from a seed (mulberry32). */
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let x = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}
/* Judge the best set. measure: what places are chosen by, people: what a set reaches (both m x n, draws within
   places); weight: of draws; size: people living there; conditions: see `choose`. */
function plan(measure, people, weight, size, conditions) {
  const m = size.length, n = weight.length, dice = random(7);
  const worth = Array.from({ length: m }, (_, p) => { let s = 0; for (let d = 0; d < n; d++) s += measure[p * n + d] * weight[d]; return s / n; });
  const set = choose(worth, conditions);
  if (!set) return null;
  const within = new Set(set), belongs = new Float64Array(m), largest = choose(Array.from(size), conditions);
  const kinds = { best: [], chosen: [], largest: [], random: [] }, parts = [];
  const total = (values, some, d) => some.reduce((s, p) => s + values[p * n + d], 0);
  let overlap = 0;
  for (let d = 0; d < n; d++) {
    const best = choose(Array.from({ length: m }, (_, p) => measure[p * n + d]), conditions);
    const any = choose(Array.from({ length: m }, (_, p) => dice() * (conditions.cost ? conditions.cost[p] : 1)), conditions);
    for (const p of best) { belongs[p] += 1 / n; if (within.has(p)) overlap += 1 / n; }
    kinds.best.push(total(people, best, d)); kinds.chosen.push(total(people, set, d));
    kinds.largest.push(total(people, largest, d)); kinds.random.push(total(people, any, d));
    const most = total(measure, best, d);
    parts.push(most > 0 ? Math.min(total(measure, set, d) / most, 1) : 1);
  }
  const cost = conditions.cost && set.reduce((s, p) => s + conditions.cost[p], 0);
  const gain = conditions.cost && mostWorth(worth, conditions) / Math.max(set.reduce((s, p) => s + worth[p], 0), 1e-300) - 1;
  return { set, belongs, overlap, kinds, parts, cost, gain };
}
/* The chance that places a hold more than places b; a tie counts half. */
function chanceMore(a, b) {
  let s = 0;
  for (let d = 0; d < a.length; d++) s += a[d] > b[d] ? 1 : a[d] === b[d] ? 0.5 : 0;
  return s / a.length;
}
