/* ---- search: the name itself first, then names that begin so, then whatever contains the words - */
function finder(names, within, spelling, codes = [], people = []) {
  // Letters, accents and words as `smallarea.areas.names.canonical` has them: in the frame's spelling
  // "" drops a word, "*" marks a city, wherever in the name it is.
  const letters = {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ŧ": "t", "þ": "th", "ß": "ss", "ς": "σ"};
  const accents = /([\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}])\p{M}+/gu;
  const bare = (text) => text.normalize("NFKD").toLowerCase().normalize("NFKD").replace(/['’`ʼʻ\p{Cf}]/gu, "").replace(accents, "$1");
  const spelled = (text) => bare(text).replace(/\p{L}/gu, (letter) => letters[letter] ?? letter);
  const plain = (text) => spelled(text).split(/[^\p{L}\p{M}\p{N}]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const spelt = (word) => (Object.hasOwn(spelling, word) ? spelling[word] : word);
  const key = (words) => words.map(spelt).filter((word) => word !== "*").join("");
  const marked = (words) => words.some((word) => spelt(word) === "*");
  const areas = names.map((name, i) => {
    const words = plain(name.replace(/\([^)]*\)?/g, " ")), all = plain(`${name} ${within[i]}`);
    return { key: key(words), city: marked(words), text: [...all, ...all.map(spelt)].join(" ") };
  });
  return (asked) => {
    const words = plain(asked), city = marked(words), wanted = key(words);
    const telling = words.filter((word) => !["", "*"].includes(spelt(word)));
    const rank = (area) => {
      if (wanted && area.key === wanted) return area.city ? 0 : 1; // cities first: most mean them
      const begins = wanted && area.key.startsWith(wanted);
      const within = (telling.length ? telling : words).every((word) => area.text.includes(word) || area.text.includes(spelt(word)));
      if (!begins && !(words.length && within)) return null;
      return (begins ? 2 : telling.length && area.key.startsWith(spelt(telling[0])) ? 4 : 6) + (city && !area.city ? 1 : 0);
    };
    const code = asked.trim().toLowerCase();
    const coded = (i) => code.length > 2 && codes[i]?.toLowerCase().startsWith(code);
    const found = areas.map((area, i) => [coded(i) ? 0 : rank(area), i]).filter(([place]) => place !== null);
    return found.sort(([a, i], [b, j]) => a - b || (people[j] ?? 0) - (people[i] ?? 0) || i - j).map(([, i]) => i);
  };
}
