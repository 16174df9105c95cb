/* ---- where to interview next; what numbers mean, rest on, and do not say --------------------------- */
function nextPlaces() {
  const head = `<h2>${th("next")}</h2>`;
  if (!data.plan) return `${head}<p>${th("next_none")}</p>`;
  return `${head}<p>${th("next_why")}</p><ol>${data.plan.map(([i, sd]) => `<li><button type="button" class="link" data-area="${i}">${escape(data.areas.name[i])}</button>, ${escape(above(i)[0])} <span class="key">${th("next_left", { x: `${Math.round(100 * sd)} %` })}</span></li>`).join("")}</ol>`;
}
function about() {
  const words = WORDS[language], tier = !data.areas.surveyed, texts = (list) => list.map((text) => `<p>${escape(text)}</p>`).join("");
  const meaning = words.meaning.map((text, n) => (n === 2 && tier ? words.tier_meaning : text));
  const out = data.levels[0].names.filter((_, unit) => { const own = every.filter((i) => data.areas.levels[0][i] === unit); return own.length && own.every(uncovered); });
  const list = state.what && out.length ? t("about_out_list", { list: out.join(", ") }) : t("about_out_none");
  let total = t("about_total_plain");
  if (data.draws.tau) {
    const n = data.draws.n, fixed = state.tau, ends = tauEnds();
    state.tau = null;
    const all = everybody().map((x, d) => x * tauAt(d));
    state.tau = fixed;
    const at = (tau) => { const q = quantiles(all.map((x) => x / tau), [0.1, 0.9]); return span(q[0], q[1]); };
    total = t("tau_total", { a: show(100 * ends[0]), b: show(100 * ends[2]), c: show(100 * ends[0]), d: at(ends[0]), e: show(100 * ends[2]), f: at(ends[2]) }) + ` ${data.indicators[counted()].label}. ` + words.tau_meaning;
  }
  return `<h2>${th("about")}</h2>${texts([...meaning, ...data.meaning])}`
    + `<h3>${th("about_not")}</h3>${texts([...words.not_said, ...(data.reporting ? [words.tau_not_said] : [])])}`
    + `<h3>${th("about_total")}</h3><p>${escape(total)}</p>`
    + `<h3>${th("about_out")}</h3><p>${escape(list)} ${th("about_far", { n: whole(every.filter(unlike).length), m: whole(count), o: whole(every.filter(uncovered).length) })}</p>`
    + `<p>${th("about_draws", { n: data.draws.n, q: 64 })}</p><p>${escape(words.standing[data.standing])}</p>`;
}
