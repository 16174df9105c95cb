/* ---- two places or more: never the sum of ends, always within draws ------------------------------- */
function compared() {
  const some = state.compare.filter((i) => data.draws.places.includes(i)), n = data.draws.n, unit = data.indicators[counted()].unit;
  const head = `<h2>${th("compare")}</h2><p class="where">${escape(titled(data.indicators[counted()]))}</p><p>${th("compare_how")}</p>`
    + `<div class="form"><label for="compare-add">${th("compare_add")}</label><input id="compare-add" list="compare-hits" autocomplete="off"><datalist id="compare-hits"></datalist></div>`;
  if (!some.length) return head;
  const here = world(some), of = (p, rate) => Array.from(here.people.subarray(p * n, (p + 1) * n), (x) => (rate ? x / sizeOf(some[p]) : x));
  const rates = some.map((_, p) => of(p, true)), people = some.map((_, p) => of(p, false));
  const names = some.map((i) => data.areas.name[i]), nation = everybody();
  const pair = (a, b) => (a === b ? "<td>" : `<td class="n">${percent(100 * chanceMore(rates[a], rates[b]))} / ${percent(100 * chanceMore(people[a], people[b]))}`);
  const together = nation.map((_, d) => people.reduce((s, own) => s + own[d], 0)), q = quantiles(together, [0.1, 0.5, 0.9]), share = quantiles(together.map((x, d) => x / nation[d]), [0.1, 0.9]);
  const two = some.length === 2 ? `<p class="say">${th("compare_two", { x: names[0], y: names[1], unit, p: percent(100 * chanceMore(rates[0], rates[1])), q: percent(100 * chanceMore(people[0], people[1])) })} ${th("compare_cannot")}</p>` : "";
  const matrix = some.length > 1 ? `<div class="wide"><table class="small"><caption>${th("compare_chance")}</caption><thead><tr><th>${names.map((name) => `<th scope="col">${escape(name)}`).join("")}</thead><tbody>${some.map((_, a) => `<tr><th scope="row">${escape(names[a])}${some.map((_, b) => pair(a, b)).join("")}`).join("")}</tbody></table></div>` : "";
  return head + `<ul class="chosen">${some.map((i) => `<li><button type="button" class="link" data-area="${i}">${escape(data.areas.name[i])}</button>, ${escape(above(i)[0])} <button type="button" data-drop="${i}" aria-label="${th("drop_compare")}: ${escape(data.areas.name[i])}">×</button></li>`).join("")}</ul>`
    + two + `<p class="say">${th("compare_joint", { a: span(q[0], q[2]), m: show(q[1]), unit, s: percents(share[0], share[1]) })}</p>` + matrix
    + `<p class="buttons"><button type="button" id="clear">${th("clear")}</button></p>`;
}
