"use strict";
// The map_*.js are one script, in the order of smallarea.publish.map.SCRIPTS; no library.
/* ---- words: of the language in the address, else of the browser, else the first there is ------- */
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const address = () => new URLSearchParams(location.hash.slice(1));
const LANGUAGES = Object.keys(WORDS);
const preferred = () => [address().get("lang"), ...(navigator.languages || [])]
  .map((wish) => LANGUAGES.find((name) => wish && wish.toLowerCase().split("-")[0] === name)).find(Boolean) || LANGUAGES[0];
let language = preferred();
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => (values && name in values ? values[name] : whole));
const t = (key, values) => filled(WORDS[language].page[key], values);
const escape = (text) => String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
// In HTML: words are ours, values may hold anything.
const th = (key, values) => escape(t(key)).replace(/\{(\w+)\}/g, (whole, name) => (values && name in values ? escape(values[name]) : whole));
const highest = () => (data.k === 1 ? t("highest_1") : t("highest", { k: whole(data.k) }));
const whole = (x) => Math.round(x).toLocaleString(language);
function show(x) {
  if (x === null || x === undefined) return t("withheld");
  if (!isFinite(x)) return t("very_many");
  return x === 0 ? "0" : Number(x.toPrecision(2)).toLocaleString(language, { maximumSignificantDigits: 2 });
}
const span = (a, b) => t("to", { a: show(a), b: show(b) });
const percent = (x) => (x === null ? t("withheld") : x < 1 ? t("under_1") : x > 99 ? t("over_99") : `${Math.round(x)} %`);
const percents = (a, b) => `${t("to", { a: show(100 * a), b: show(100 * b) })} %`;
const factor = (hundredths) => Math.exp(hundredths / 100).toLocaleString(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
