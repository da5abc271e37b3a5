// The canvas: strokes by mouse, finger, pen or keyboard; after each, the endpoint is asked what it sees.

import { byId, el, setText } from "./dom.js";

const SIDE = 280, PEN = 22, STEP = 10;

let pen = null; // where it is, on the paper
let strokes = 0;
let asking = null;
let keyboard = { x: SIDE / 2, y: SIDE / 2, down: false };
let ink; // what is drawn, black on nothing; what is seen has the page's colours and the keyboard's pen

export function setUp() {
  const canvas = byId("canvas");
  ink = el("canvas", { width: SIDE, height: SIDE }).getContext("2d", { willReadFrequently: true });
  Object.assign(ink, { lineWidth: PEN, lineCap: "round", lineJoin: "round", strokeStyle: "#000" });
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    canvas.focus({ preventScroll: true });
    pen = place(event);
    line(pen);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (pen === null) return;
    const between = event.getCoalescedEvents?.() ?? [];
    for (const each of between.length ? between : [event]) line(place(each));
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, lift);
  canvas.addEventListener("keydown", key);
  canvas.addEventListener("focus", paint);
  canvas.addEventListener("blur", () => { keyboard.down = false; paint(); });
  byId("clear").addEventListener("click", clear);
  byId("dataset").addEventListener("change", ask);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  paint();
}

function place(event) {
  const box = byId("canvas").getBoundingClientRect();
  return { x: (event.clientX - box.left) * SIDE / box.width, y: (event.clientY - box.top) * SIDE / box.height };
}

function line(to) {
  const from = pen ?? to;
  ink.beginPath();
  ink.moveTo(from.x, from.y);
  ink.lineTo(to.x, to.y + (from.x === to.x && from.y === to.y ? 0.01 : 0));
  ink.stroke();
  pen = to;
  strokes += 1;
  paint();
}

function lift() {
  if (pen === null) return;
  pen = null;
  ask();
}

function key(event) {
  const way = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key];
  if (way) {
    const limit = (value) => Math.min(Math.max(value, PEN), SIDE - PEN);
    pen = { x: keyboard.x, y: keyboard.y };
    keyboard = { ...keyboard, x: limit(keyboard.x + way[0]), y: limit(keyboard.y + way[1]), seen: true };
    if (keyboard.down) line({ x: keyboard.x, y: keyboard.y });
    pen = null;
  } else if (event.key === " ") {
    keyboard = { ...keyboard, down: !keyboard.down, seen: true };
    if (keyboard.down) line({ x: keyboard.x, y: keyboard.y });
    pen = null;
    if (!keyboard.down) ask();
  } else if (event.key === "Enter") ask();
  else if (event.key === "Delete" || event.key === "Backspace") clear();
  else return;
  event.preventDefault();
  paint();
}

function clear() {
  ink.clearRect(0, 0, SIDE, SIDE);
  strokes = 0;
  asking?.abort();
  setText(byId("answer"), "");
  byId("probabilities").hidden = true;
  paint();
}

function paint() {
  const canvas = byId("canvas");
  const context = canvas.getContext("2d");
  const style = getComputedStyle(canvas);
  context.globalCompositeOperation = "copy";
  context.drawImage(ink.canvas, 0, 0);
  context.globalCompositeOperation = "source-in";
  context.fillStyle = style.color;
  context.fillRect(0, 0, SIDE, SIDE);
  context.globalCompositeOperation = "source-over";
  if (!keyboard.seen || document.activeElement !== canvas) return;
  context.strokeStyle = style.outlineColor;
  context.lineWidth = keyboard.down ? 4 : 2;
  context.beginPath();
  context.arc(keyboard.x, keyboard.y, PEN / 2 + 2, 0, 2 * Math.PI);
  context.stroke();
}

async function ask() {
  const dataset = byId("dataset").value;
  if (strokes === 0) return;
  if (!dataset) {
    setText(byId("answer"), "No endpoint is there to be asked: a deployed run makes one.");
    return;
  }
  asking?.abort();
  asking = new AbortController();
  const pixels = ink.getImageData(0, 0, SIDE, SIDE).data.filter((_, index) => index % 4 === 3);
  let found;
  try {
    const answer = await fetch(`/api/predict?dataset=${encodeURIComponent(dataset)}`, {
      method: "POST", body: pixels, headers: { "Content-Type": "application/octet-stream" }, signal: asking.signal,
    });
    found = await answer.json();
  } catch (error) {
    if (error.name === "AbortError") return;
    found = { error: `The console does not answer (${error.message}).` };
  }
  show(found);
}

function show(found) {
  const box = byId("answer");
  byId("probabilities").hidden = Boolean(found.error);
  if (found.error) {
    box.replaceChildren(el("p", { class: "trouble" }, found.error));
    return;
  }
  box.replaceChildren(
    el("span", { class: "digit", id: "label" }, String(found.label)),
    el("span", {}, `with ${(100 * found.probability).toFixed(1)} %`),
    seen(found.seen),
  );
  byId("probabilities").replaceChildren(...found.probabilities.map((share, label) => el("li", {
    class: label === found.label ? "best" : null },
    el("span", {}, String(label)), el("meter", { min: 0, max: 1, value: share, "aria-label": `Probability of ${label}` }),
    el("span", { class: "soft small" }, `${(100 * share).toFixed(1)} %`))));
}

/** What the model was given: 28 by 28 pixels, centred as in MNIST. */
function seen(pixels) {
  const small = el("canvas", { width: 28, height: 28, class: "seen", role: "img", "aria-label": "What the model was given" });
  small.title = "What the model was given";
  const context = small.getContext("2d");
  const image = context.createImageData(28, 28);
  pixels.forEach((value, index) => image.data.set([value, value, value, 255], 4 * index));
  context.putImageData(image, 0, 0);
  return small;
}
