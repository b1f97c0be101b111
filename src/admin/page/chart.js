// SPDX-License-Identifier: Apache-2.0
// Small charts as SVG. Nothing here knows what the numbers mean.

const SVG = "http://www.w3.org/2000/svg";

function make(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Points of a line; a null leaves a gap. */
function path(values, x, y) {
  let text = "";
  let pen = "M";
  values.forEach((value, i) => {
    if (value === null) {
      pen = "M";
      return;
    }
    text += `${pen}${x(i).toFixed(2)} ${y(value).toFixed(2)}`;
    pen = "L";
  });
  return text;
}

/** A round number at or above `value`: 1, 2 or 5 times a power of ten. */
export function roundUp(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= value * 0.999);
}

/** The last values as a line; decoration, since the number stands beside it. */
export function sparkline(values, kind = "") {
  const svg = make("svg", { class: `spark ${kind}`, viewBox: "0 0 100 30", preserveAspectRatio: "none", "aria-hidden": "true" });
  const top = Math.max(...values, 1e-9);
  const x = (i) => 100 - (values.length - 1 - i) * (100 / 59);
  const y = (value) => 28 - (26 * value) / top;
  if (values.length > 1) {
    const line = path(values, x, y);
    svg.append(make("path", { class: "area", d: `${line}L100 30L${x(0).toFixed(2)} 30Z` }), make("path", { d: line }));
  }
  return svg;
}

function frame(width, label, top, format, from, to) {
  const svg = make("svg", { viewBox: `0 0 ${width} 168`, role: "img", "aria-label": label });
  for (const share of [0, 0.5, 1]) {
    const y = 146 - 130 * share;
    const text = make("text", { x: 0, y: y - 4 });
    text.textContent = format(top * share);
    svg.append(make("line", { x1: 0, x2: width, y1: y, y2: y }), text);
  }
  for (const [x, anchor, words] of [[0, "start", from], [width, "end", to]]) {
    const text = make("text", { x, y: 163, "text-anchor": anchor });
    text.textContent = words;
    svg.append(text);
  }
  return svg;
}

/** Bars of stacked parts: `rows` of arrays, one number for each of `kinds`. */
export function bars(rows, kinds, { width, label, format, from, to }) {
  const top = roundUp(Math.max(...rows.map((row) => row.reduce((a, b) => a + b, 0)), 1));
  const svg = frame(width, label, top, format, from, to);
  const step = width / rows.length;
  rows.forEach((row, i) => {
    let y = 146;
    row.forEach((value, part) => {
      if (value <= 0) return;
      const height = Math.max((130 * value) / top, 1);
      y -= height;
      svg.append(make("rect", { class: kinds[part], x: (i * step + step * 0.12).toFixed(2), y: y.toFixed(2), width: (step * 0.76).toFixed(2), height: height.toFixed(2) }));
    });
  });
  return svg;
}

/** Lines over the same times: `rows` of arrays with a number or null for each of `kinds`. */
export function lines(rows, kinds, { width, label, format, from, to }) {
  const top = roundUp(Math.max(...rows.flat().map((value) => value ?? 0), 1e-9));
  const svg = frame(width, label, top, format, from, to);
  const x = (i) => (rows.length > 1 ? (i * width) / (rows.length - 1) : width);
  const y = (value) => 146 - (130 * value) / top;
  kinds.forEach((kind, part) => {
    const values = rows.map((row) => row[part]);
    svg.append(make("path", { class: kind, d: path(values, x, y) }));
    values.forEach((value, i) => {
      const alone = value !== null && (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null;
      if (alone) svg.append(make("circle", { class: kind, cx: x(i).toFixed(2), cy: y(value).toFixed(2), r: 2.4 }));
    });
  });
  return svg;
}

/** Shares of a whole, side by side. */
export function shares(parts, label) {
  const svg = make("svg", { viewBox: "0 0 100 12", preserveAspectRatio: "none", role: "img", "aria-label": label });
  svg.append(make("rect", { class: "f-track", x: 0, y: 0, width: 100, height: 12 }));
  let x = 0;
  for (const [kind, share] of parts) {
    const width = Math.min(Math.max(share, 0) * 100, 100 - x);
    svg.append(make("rect", { class: kind, x, y: 0, width, height: 12 }));
    x += width;
  }
  return svg;
}
