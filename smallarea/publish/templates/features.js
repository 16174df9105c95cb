"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const INK = ["#f1eef6", "#d0d1e6", "#a6bddb", "#74a9cf", "#3690c0", "#0570b0", "#034e7b"];
const NONE = "#e0a080";
const paths = data.shapes.map((d) => new Path2D(d));

function paint(canvas) {
  const [width, height] = data.size;
  const ratio = (canvas.clientWidth * (window.devicePixelRatio || 1)) / width;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  pen.lineWidth = 0.6;
  const letters = data.classes[canvas.dataset.feature];
  paths.forEach((path, i) => {
    pen.fillStyle = pen.strokeStyle = letters[i] === "-" ? NONE : INK[letters[i]];
    pen.fill(path);
    pen.stroke(path);
  });
}

const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    paint(target);
  }
}, { rootMargin: "300px" });
for (const canvas of document.querySelectorAll("canvas")) {
  canvas.style.aspectRatio = data.size.join("/");
  seen.observe(canvas);
}

const search = document.getElementById("search"), count = document.getElementById("count");
search.addEventListener("input", () => {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const card of document.querySelectorAll("section")) {
    card.hidden = !words.every((word) => card.dataset.text.includes(word));
    shown += !card.hidden;
  }
  count.textContent = shown;
});
window.addEventListener("beforeprint", () => document.querySelectorAll("canvas").forEach(paint));
