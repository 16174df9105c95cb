/* ---- the table: the same places, filters and choice as the map; and the file of it -------------- */
const STEP = 100;
let rowsShown = STEP;
const belongs = () => state.found?.belongs;
function columns() {
  const rated = !said().ratio && state.as === "rate", all = [
    { id: "name", head: data.labels.area, of: (i) => data.areas.name[i] },
    ...data.levels.map((level, n) => ({ id: level.key, head: level.label, of: (i) => above(i)[n] })).filter((_, n) => data.levels[n].names.length > 1),
    { id: "low80", head: t("col_80"), of: (i) => quantile(shown(), "q10", i), text: (i) => range(i, "q10", "q90"), ends: ["q10", "q90"] },
    { id: "low95", head: t("col_95"), of: (i) => quantile(shown(), "q025", i), text: (i) => range(i, "q025", "q975"), ends: ["q025", "q975"] },
    { id: "q50", head: t("col_mid"), of: (i) => quantile(shown(), "q50", i), text: (i) => show(quantile(shown(), "q50", i)), ends: ["q50"] },
    { id: "above", head: t("col_above"), of: aboveNation, text: (i) => percent(aboveNation(i)), percent: true },
    { id: "top", head: t("col_top", { k: whole(data.k) }), of: topOf, text: (i) => percent(topOf(i)), percent: true },
    { id: "rank", head: t("col_rank"), of: (i) => data.ranks[shown()][0][i], text: (i) => t("to", { a: whole(data.ranks[shown()][0][i]), b: whole(data.ranks[shown()][1][i]) }), ends: "rank" },
  ];
  if (belongs()) all.push({ id: "belong", head: t("col_belong"), of: (i) => belongs().get(i) ?? 0, text: (i) => percent(100 * (belongs().get(i) ?? 0)), percent: true });
  if (data.areas.surveyed) all.push({ id: "surveyed", head: t("col_asked"), of: (i) => data.areas.surveyed[i], text: (i) => t(data.areas.surveyed[i] ? "yes" : "no") });
  return [...all, { id: "notes", head: t("col_notes"), of: (i) => notesOf(i) }];
}
const notesOf = (i) => flagsOf(i).filter((f) => f !== "synthetic").map((f) => WORDS[language].flags[f] || f).join("; ");
function sorted() {
  const all = columns(), column = all.find(({ id }) => id === state.sort) || all.find(({ id }) => id === (belongs() ? "belong" : state.layer === "above" || state.layer === "top" ? state.layer : "name")) || all[0];
  const way = state.down && column.id !== "name" ? -1 : 1, of = new Map(left().map((i) => [i, column.of(i)]));
  const compare = (a, b) => {
    const x = of.get(a), y = of.get(b);
    if (x === null || y === null) return (x === null) - (y === null);
    return way * (typeof x === "string" ? x.localeCompare(y, language) : x - y) || data.areas.name[a].localeCompare(data.areas.name[b], language);
  };
  return { column, way, order: [...of.keys()].sort(compare) };
}
function table() {
  const { column, way, order } = sorted(), all = columns();
  const head = ({ id, head }) => `<th scope="col" aria-sort="${id === column.id ? (way > 0 ? "ascending" : "descending") : "none"}"><button type="button" data-sort="${id}" title="${th("sort_by", { x: head })}">${escape(head)}${id === column.id ? (way > 0 ? " ▲" : " ▼") : ""}</button>`;
  const cell = (c, i) => c.id === "name" ? `<th scope="row"><button type="button" data-area="${i}">${escape(c.of(i))}</button>`
    : `<td${c.text && c.id !== "surveyed" ? ' class="n"' : ""}>${escape(c.text ? (gone(i) ? (c.id === "low80" ? t("withheld") : "") : c.text(i)) : c.of(i))}`;
  $("table").innerHTML = `<table><caption>${th("caption", { title: titled(said()), n: whole(order.length), m: whole(count) })} ${escape(data.notice)}</caption><thead><tr>${all.map(head).join("")}</thead><tbody>`
    + order.slice(0, rowsShown).map((i) => `<tr${i === state.area ? ' class="own"' : ""}>${all.map((c) => cell(c, i)).join("")}`).join("") + "</tbody></table>"
    + (order.length > rowsShown ? `<button type="button" id="more">${th("more")}</button>` : "");
}
/* What is shown, as a file: a column for each end of a range, whole codes, no thousands separators. */
function csv() {
  const all = columns().filter(({ id }) => !["name", "notes"].includes(id)), quoted = (x) => `"${String(x ?? "").replaceAll('"', '""')}"`;
  const heads = all.flatMap((c) => (c.ends === "rank" ? ["rank_low", "rank_high"] : c.ends || [c.id]));
  const ends = (c, i) => c.ends === "rank" ? data.ranks[shown()].map((row) => row[i]) : c.ends ? c.ends.map((q) => { const x = quantile(shown(), q, i); return x === null ? null : Number(x.toPrecision(3)); }) : [c.of(i)];
  const rows = sorted().order.map((i) => [data.areas.id[i], data.areas.name[i], shown(), ...all.flatMap((c) => ends(c, i)), notesOf(i), data.notice]);
  return "\ufeff" + [["area_id", "name", "indicator", ...heads, "notes", "notice"], ...rows].map((row) => row.map(quoted).join(",")).join("\r\n") + "\r\n";
}
function download() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csv()], { type: "text/csv" }));
  link.download = `${shown()}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
