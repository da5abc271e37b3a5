// Training curves: one small chart for each figure that the training program reports with its epochs.

import { el, svg } from "./dom.js";

const WIDTH = 300, HEIGHT = 110, LEFT = 8, RIGHT = 8, TOP = 10, BOTTOM = 10;
const NOT_DRAWN = /^(epoch|host)$|seconds|per_second/;

export function curves(box, epochs) {
  const names = [...new Set(epochs.flatMap((epoch) => Object.keys(epoch)))].filter((name) => !NOT_DRAWN.test(name));
  const drawn = names.map((name) => [name, points(epochs, name)]).filter(([, found]) => found.length > 0);
  box.replaceChildren(...drawn.map(([name, found]) => curve(name, found)));
}

/** The figure by epoch; of an epoch that was trained twice, after an interruption, the last. */
function points(epochs, name) {
  const found = new Map();
  epochs.forEach((epoch, index) => {
    const x = Number.parseFloat(epoch.epoch), y = Number.parseFloat(epoch[name]);
    if (Number.isFinite(y)) found.set(Number.isFinite(x) ? x : index, y);
  });
  return [...found].sort(([one], [other]) => one - other);
}

function curve(name, found) {
  const values = found.map(([, y]) => y);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const [first, last] = [found[0][0], found.at(-1)[0]];
  const across = (x) => LEFT + (last === first ? 0.5 : (x - first) / (last - first)) * (WIDTH - LEFT - RIGHT);
  const up = (y) => HEIGHT - BOTTOM - (high === low ? 0.5 : (y - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const places = found.map(([x, y]) => [across(x).toFixed(1), up(y).toFixed(1)]);
  const label = name.replaceAll("_", " ");
  const text = `${label}: from ${values[0]} in epoch ${first} to ${values.at(-1)} in epoch ${last}`;
  return el("figure", { class: "curve" },
    el("figcaption", {}, el("span", {}, label), el("strong", {}, String(values.at(-1)))),
    svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": text },
      ...[TOP, HEIGHT / 2, HEIGHT - BOTTOM].map((y) => svg("line", { class: "grid", x1: 0, x2: WIDTH, y1: y, y2: y })),
      svg("polyline", { class: "way", points: places.map((place) => place.join(",")).join(" ") }),
      ...places.map(([x, y], index) => svg("circle", { class: "point", cx: x, cy: y, r: 3.2 },
        svg("title", {}, `epoch ${found[index][0]}: ${values[index]}`)))),
    el("div", { class: "row soft small" }, el("span", {}, `epoch ${first}`), el("span", {}, `${low} to ${high}`), el("span", {}, `${last}`)),
  );
}
