/* ---- the card of a place, of the whole country --------------------------------------------------- */
function bars(quantileOf, marks) {
  const q = QUANTILES.map(quantileOf);
  const floor = Math.max(q[6] / 1e4, 1e-9), log = (x) => Math.log10(Math.max(x, floor));
  const lines = marks.filter(([, x]) => x);
  const ends = [log(q[0]), log(q[6]), ...lines.map(([, x]) => log(x))];
  const low = Math.min(...ends) - 0.08, high = Math.max(...ends) + 0.08;
  const x = (v) => Number((12 + (306 * (log(v) - low)) / (high - low)).toFixed(1));
  const bar = (a, b, y, h, c) => `<rect x="${x(a)}" y="${y}" width="${Math.max(x(b) - x(a), 1)}" height="${h}" rx="2" fill="${c}"/>`;
  const text = (v, y, anchor, words = show(v), colour = "#1c2733") => `<text x="${x(v)}" y="${y}" font-size="12" text-anchor="${anchor}" fill="${colour}">${escape(words)}</text>`;
  const side = (v) => (x(v) > 220 ? "end" : x(v) < 110 ? "start" : "middle");
  return `<svg class="bars" viewBox="0 0 330 ${62 + 16 * lines.length}" role="img" aria-label="${th("bars", { a: span(q[2], q[4]), b: span(q[1], q[5]), c: span(q[0], q[6]) })}">`
    + bar(q[0], q[6], 26, 6, "#b9cfdf") + bar(q[1], q[5], 23, 12, "#6ea3c6") + bar(q[2], q[4], 19, 20, "#1f5f8b")
    + `<line x1="${x(q[3])}" x2="${x(q[3])}" y1="16" y2="42" stroke="#fff" stroke-width="2.5"/>`
    + text(q[1], 12, "middle") + text(q[5], 12, "middle") + text(q[0], 56, "start") + text(q[6], 56, "end")
    + lines.map(([key, v, colour], n) => `<path d="M${x(v)} 14 V${60 + 16 * n}" stroke="${colour}" stroke-width="1.5" stroke-dasharray="3 3"/>` + text(v, 72 + 16 * n, side(v), t(key, { x: show(v) }), colour)).join("") + "</svg>";
}
const marksOf = () => (state.as === "count" && whatOf().rate ? [] : [["line_nation", data.national[shown()].q50, "#a30060"], ["line_typical", typical(), "#7a4b00"]]);
const estimate = (quantileOf, between) => `<h3>${escape(titled(said()))}</h3><p class="range">${between("q10", "q90")}</p>`
  + `<p>${th("range_80", { m: show(quantileOf("q50")) })}</p>${bars(quantileOf, marksOf())}`
  + `<p class="key">${th("bars_key", { a: between("q25", "q75"), b: between("q10", "q90"), c: between("q025", "q975") })}</p>`;

function beside(i) {
  const nation = data.national[whatOf().rate || state.what].q50, ranks = data.ranks[shown()], lines = [];
  if (aboveNation(i) !== null) lines.push(th(said().ratio ? "above_nation_ratio" : "above_nation", { x: show(nation), p: percent(aboveNation(i)) }));
  data.levels.forEach((level, n) => {
    if (state.as === "count" && whatOf().rate && n) return;
    if (aboveLevel(i) !== null && n === 0 && state.as === "rate") lines.push(th("above_level", { name: above(i)[0], a: unitRange(0, i), p: percent(aboveLevel(i)) }));
    else if (level.names.length > 1) lines.push(`${escape(above(i)[n])}: ${unitRange(n, i)} (80 %).`);
  });
  lines.push(th("chance_top", { highest: highest(), p: percent(topOf(i)) }));
  if (ranks[0][i] !== null) lines.push(th("rank", { n: whole(count), a: whole(ranks[0][i]), b: whole(ranks[1][i]) }));
  return `<h3>${th("others")}</h3>` + lines.map((line) => `<p>${line}</p>`).join("");
}
/* ---- what a place rests on: the sums of smallarea.publish.basis ---------------------------------- */
const OTHERS = ["space", "groups", "own", "together"];
const partName = (part) => (OTHERS.includes(part) ? t(part) : part.replaceAll("_", " "));
function basisOf(i) {
  const own = data.basis?.totals[state.what];
  if (!own || own.steps[2][i] === null) return null;
  const models = Object.entries(own.models);
  const parts = data.basis.parts.map((part, n) => ({ part, mean: models.reduce((s, [, values]) => s + (values[n][i] || 0), 0) / models.length, by: models.map(([, values]) => values[n][i]) }));
  const sum = (some) => parts.filter(({ part }) => some(part)).reduce((s, { mean }) => s + mean, 0);
  const [pooling, agreement, number] = own.steps.map((step) => step[i]);
  return { models: models.map(([name]) => name), parts, pooling, agreement, number, streams: sum((p) => !OTHERS.slice(0, 3).includes(p)), places: sum((p) => p === "space" || p === "groups"), own: sum((p) => p === "own") };
}
function rests(i) {
  if (!data.basis) return "";
  const found = basisOf(i);
  if (!found) return data.whats.some(({ id }) => id === state.what && data.basis.totals[id]) ? "" : `<h3>${th("rests")}</h3><p>${th("rests_none", { list: Object.keys(data.basis.totals).map((id) => data.indicators[id].label).join(", ") })}</p>`;
  const most = found.parts.filter(({ part, mean }) => !OTHERS.includes(part) && Math.abs(mean) >= 3).sort((a, b) => Math.abs(b.mean) - Math.abs(a.mean)).slice(0, 3);
  const list = most.map(({ part, mean }) => `${partName(part)} × ${factor(mean)}`).join(", ");
  const still = [found.streams, found.places, found.own].every((x) => Math.abs(x) < 10);
  const sentence = still ? th("rests_level")
    : th("rests_local", { streams: t("streams") + (list ? ` (${t("most", { list })})` : ""), s: factor(found.streams), p: factor(found.places), g: factor(found.pooling + found.agreement) });
  const cell = (x) => `<td class="n">${x === null || x === undefined ? "" : factor(x)}`;
  const rows = [...found.parts].sort((a, b) => Math.abs(b.mean) - Math.abs(a.mean)).map(({ part, mean, by }) => `<tr><td>${escape(partName(part))}${by.map(cell).join("")}${cell(mean)}`);
  const step = (key, x) => `<tr><td>${th(key)}${found.models.map(() => "<td>").join("")}${cell(x)}`;
  return `<h3>${th("rests")}</h3><p>${th("rests_base", { x: factor(found.number) })} ${sentence}${data.areas.surveyed?.[i] && !still ? ` ${th("rests_own", { o: factor(found.own) })}` : ""}</p>`
    + `<details><summary>${th("rests_more")}</summary><p class="key">${th("rests_key")}</p><div class="wide"><table class="small"><thead><tr><th>${th("part")}${found.models.map((name) => `<th>${escape(name.replaceAll("_", " "))}`).join("")}<th>×</thead><tbody>`
    + rows.join("") + step("pooling", found.pooling) + step("agreement", found.agreement) + step("number", found.number) + "</tbody></table></div></details>";
}
function changed(i) {
  if (!data.earlier) return `<h3>${th("change")}</h3><p>${th("change_none")}${data.standing === "internal" ? ` ${th("change_internal")}` : ""}</p>`;
  const was = data.earlier.numbers[shown()];
  if (!was || was[0][i] === null) return "";
  const [low, , high] = was.map((row) => row[i]), now = [quantile(shown(), "q10", i), quantile(shown(), "q90", i)];
  const apart = now[0] > high ? "rose" : now[1] < low ? "fell" : null;
  return `<h3>${th("change")}</h3><p>${th("change_was", { run: data.earlier.name, a: span(low, high) })} ${apart ? th("change_apart", { moved: t(apart) }) : th("change_overlap")}</p>`;
}
function card() {
  const i = state.area;
  if (i === null) {
    const n = data.national[shown()], between = (a, b) => span(n[a], n[b]);
    return `<h2>${th("country")}</h2>${estimate((q) => n[q], between)}`
      + (marksOf().length ? `<p>${th("typical", { typical: show(typical()), nation: show(n.q50) })}</p>` : "")
      + `<p>${th("how_to")}</p><p>${th("how_to_choose")}</p>`;
  }
  const own = state.compare.includes(i);
  const asked = data.areas.surveyed ? t(data.areas.surveyed[i] ? "asked_here" : "not_asked_here") : t("not_told");
  const flags = flagsOf(i).filter((f) => f !== "synthetic").map((f) => `<li>${escape(WORDS[language].flags[f] || f)}</li>`).join("");
  const head = `<h2>${escape(data.areas.name[i])}</h2><p class="where">${[...new Set(above(i))].map(escape).join(" · ")} · ${escape(data.areas.id[i])}</p>`;
  const notes = flags ? `<h3>${th("flags")}</h3><ul class="notes-list">${flags}</ul>` : "";
  const body = gone(i) ? `<p>${th("withheld_why")}</p>${notes}`
    : estimate((q) => quantile(shown(), q, i), (a, b) => range(i, a, b)) + notes + beside(i) + rests(i) + `<p class="key">${escape(asked)}</p>` + changed(i);
  return head + body + `<p class="buttons">${!hasDraws(i) ? "" : `<button type="button" id="pick">${th(own ? "drop_compare" : "add_compare")}</button>`}<button type="button" id="back">${th("back")}</button></p>`;
}
