// The page: which run it shows, and the one connection through which it is told what happens.

import { byId, setText } from "./dom.js";
import { showEndpoints } from "./endpoints.js";
import { showRuns } from "./runs.js";
import * as run from "./run.js";
import { setUp as setUpDrawing } from "./drawing.js";
import { setUp as setUpState, statesChanged } from "./state.js";

let source = null;
let shown = null; // the run whose events come
let runs = [];
const troubles = new Map();

/** The run of the address; without one, the newest, whichever that is. */
function wanted() {
  const match = location.pathname.match(/^\/runs\/([^/]+)$/);
  return match ? decodeURIComponent(match[1]) : runs[0]?.run_id ?? null;
}

function connect() {
  source?.close();
  shown = wanted();
  run.begin(shown);
  tellTrouble("run", null);
  if (document.hidden) return; // a browser has few connections to spare, and nobody looks
  source = new EventSource(shown ? `/api/events?run=${encodeURIComponent(shown)}` : "/api/events");
  source.onopen = () => tellLink("live");
  source.onerror = () => tellLink("no connection");
  on("runs", (found) => {
    runs = found;
    showRuns(runs, shown ?? wanted());
    if (wanted() !== shown) connect();
  });
  on("endpoints", (found) => showEndpoints(found));
  on("run", run.showRun);
  on("graph", run.showGraph);
  on("states", (found) => {
    run.showStates(found);
    statesChanged(found);
  });
  on("decision", run.showDecision);
  on("training", run.showTraining);
  on("overview-trouble", (text) => tellTrouble("overview", text));
  on("run-trouble", (text) => tellTrouble("run", text));
}

function on(name, show) {
  const own = source;
  own.addEventListener(name, (event) => {
    if (own === source) show(JSON.parse(event.data));
  });
}

function tellLink(text) {
  const link = byId("link");
  setText(link, text);
  link.classList.toggle("live", text === "live");
}

function tellTrouble(what, text) {
  if (text) troubles.set(what, text);
  else troubles.delete(what);
  const element = byId("trouble");
  setText(element, [...new Set(troubles.values())].join(" "));
  element.hidden = troubles.size === 0;
}

export function go(path, { replace = false } = {}) {
  if (replace) history.replaceState(null, "", path);
  else history.pushState(null, "", path);
  showRuns(runs, wanted());
  if (wanted() !== shown) connect();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-run]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
  event.preventDefault();
  go(link.getAttribute("href"));
  if (matchMedia("(max-width: 760px)").matches) byId("run").scrollIntoView();
});
window.addEventListener("popstate", () => {
  showRuns(runs, wanted());
  if (wanted() !== shown) connect();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    source?.close();
    source = null;
    tellLink("resting");
  } else if (source === null) connect();
});

async function showStack() {
  const stack = await (await fetch("/api/stack")).json();
  setText(byId("stack"), `${stack.name} · ${stack.where}`);
  document.title = `${stack.name} · Retrain`;
}

setUpDrawing();
setUpState(() => {
  // Whoever looks into a state wants to stay with its run when the next one begins.
  if (shown) go(`/runs/${encodeURIComponent(shown)}`, { replace: true });
  return shown;
});
connect();
showStack();
