// One run: what is known of it, its graph, its states, its verdict, its training.

import { byId, el, keyed, setText } from "./dom.js";
import { curves } from "./curves.js";
import { openState } from "./state.js";
import { between, figure, metricName, said, seconds, tone, when } from "./words.js";

let current = null;
let brought = null; // the state that was scrolled to
let clock = null;

/** Show nothing of the run before; that of the next comes. */
export function begin(runId) {
  if (runId === current) return;
  current = runId;
  brought = null;
  byId("log-part").open = false;
  clearInterval(clock);
  byId("no-run").hidden = runId !== null;
  byId("run-parts").hidden = true;
  for (const id of ["verdict", "training"]) byId(id).hidden = true;
  for (const id of ["run-facts", "run-links", "graph", "states", "checks", "curves", "epochs", "log"]) {
    byId(id).replaceChildren();
  }
}

export function showRun(run) {
  byId("run-parts").hidden = false;
  byId("run-title").replaceChildren(
    el("span", { class: "run-id" }, run.run_id), " ",
    el("span", { class: `chip ${tone(run.outcome)}`, id: "run-outcome" }, said(run.outcome)),
  );
  setText(byId("run-reason"), run.reason ?? "");
  byId("run-links").replaceChildren(...(run.card
    ? [el("a", { href: `/runs/${encodeURIComponent(run.run_id)}/report.html`, id: "card-link" }, "Run card")]
    : []));
  showFacts(run);
}

function showFacts(run) {
  const took = el("span", { id: "took" });
  const tick = () => setText(took, seconds(between(run.started_at, run.finished_at ?? new Date())));
  clearInterval(clock);
  if (!run.finished_at) clock = setInterval(tick, 1000);
  tick();
  const facts = [["began", when(run.started_at)], [run.finished_at ? "took" : "runs for", took]];
  if (run.trigger) facts.push(["started by", run.trigger]);
  if (run.dataset) facts.push(["dataset", run.dataset]);
  if (run.value !== null && run.value !== undefined) {
    facts.push([metricName(run.metric), figure(run.metric, run.value)]);
  }
  const more = Object.entries(run.facts).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const rows = (pairs) => pairs.flatMap(([name, value]) => [el("dt", {}, name.replaceAll("_", " ")),
    el("dd", {}, typeof value === "object" && !(value instanceof Node) ? JSON.stringify(value) : value)]);
  const open = byId("more-facts")?.open ?? false;
  byId("run-facts").replaceChildren(...rows(facts));
  const details = el("details", { id: "more-facts", open }, el("summary", {}, "Versions and names"),
    el("dl", { class: "facts long" }, ...rows(more)));
  byId("more-facts")?.remove();
  if (more.length) byId("run-facts").after(details);
}

export function showGraph({ svg, remark }) {
  setText(byId("graph-remark"), remark ?? "");
  byId("graph-remark").hidden = !remark;
  const box = byId("graph");
  if (!svg) {
    box.replaceChildren();
    return;
  }
  const { scrollTop, scrollLeft } = box;
  const focused = box.contains(document.activeElement) ? document.activeElement.dataset.state : null;
  const drawn = document.importNode(new DOMParser().parseFromString(svg, "image/svg+xml").documentElement, true);
  box.replaceChildren(drawn);
  box.scrollTo({ top: scrollTop, left: scrollLeft, behavior: "instant" });
  if (focused) stateNode(focused)?.focus({ preventScroll: true });
  bringIntoView(box);
}

/** Scroll to where something happens, or went wrong, unless somebody is looking around there. */
function bringIntoView(box) {
  const found = [".running", ".caught", ".failed", ""].map((kind) => box.querySelector(`.state${kind}`)).find(Boolean);
  if (!found || found.dataset.state === brought) return;
  const first = brought === null;
  if (!first && (!found.matches(".running") || box.matches(":hover") || box.contains(document.activeElement))) return;
  brought = found.dataset.state;
  const [inner, outer] = [found.getBoundingClientRect(), box.getBoundingClientRect()];
  box.scrollBy({
    left: inner.left + inner.width / 2 - outer.left - outer.width / 2,
    top: inner.top - outer.top - outer.height / 3,
    behavior: first ? "instant" : "auto",
  });
}

const stateNode = (name) => [...byId("graph").querySelectorAll("[data-state]")].find((each) => each.dataset.state === name);

function chosen(event) {
  const node = event.target.closest?.("[data-state]");
  if (!node || (event.type === "keydown" && event.key !== "Enter" && event.key !== " ")) return;
  event.preventDefault();
  openState(node.dataset.state);
}
byId("graph").addEventListener("click", chosen);
byId("graph").addEventListener("keydown", chosen);

export function showStates(visits) {
  keyed(byId("states"), visits, (visit) => visit.id, makeVisit, updateVisit);
}

function makeVisit(visit) {
  return el("li", {}, el("button", { type: "button", click: () => openState(visit.name) },
    el("span", { class: "dot" }), el("span", { class: "name" }), el("span", { class: "soft small" }),
    el("span", { class: "soft small time" })));
}

function updateVisit(item, visit) {
  const [dot, name, note, time] = item.firstChild.children;
  dot.className = `dot ${tone(visit.outcome)}`;
  dot.title = said(visit.outcome);
  setText(name, visit.path);
  const tries = visit.retries ? `tried ${visit.retries + 1} times` : "";
  setText(note, [visit.outcome === "SUCCEEDED" ? "" : said(visit.outcome), visit.error, tries].filter(Boolean).join(", "));
  setText(time, visit.left_at ? seconds(between(visit.entered_at, visit.left_at)) : "");
}

export function showDecision(decision) {
  byId("verdict").hidden = false;
  const promoted = decision.verdict === "promote";
  byId("verdict-summary").replaceChildren(
    el("span", { class: `chip ${promoted ? "good" : "caught"}`, id: "verdict-word" }, decision.verdict ?? "none"),
    decision.summary === byId("run-reason").textContent ? "" : ` ${decision.summary ?? ""}`,
  );
  byId("checks").replaceChildren(...(decision.checks ?? []).map((check) => el("li", {
    class: check.passed ? "passed" : "missed" },
    el("span", { class: "mark", "aria-hidden": "true" }, check.passed ? "✓" : "✗"),
    el("span", { class: "check-name" }, (check.name ?? "").replaceAll("_", " ")),
    el("span", { class: "unseen" }, check.passed ? "passed:" : "missed:"),
    el("span", {}, check.sentence ?? ""),
  )));
}

export function showTraining({ epochs, lines }) {
  const log = byId("log");
  byId("training").hidden = lines.length === 0;
  curves(byId("curves"), epochs);
  byId("epochs-part").hidden = epochs.length === 0;
  byId("epochs").replaceChildren(table(epochs));
  if (log.textContent === "") byId("log-part").open = epochs.length === 0;
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 30;
  setText(log, lines.join("\n"));
  if (atEnd) log.scrollTop = log.scrollHeight;
}

function table(epochs) {
  const names = [...new Set(epochs.flatMap((epoch) => Object.keys(epoch)))];
  return el("table", {},
    el("thead", {}, el("tr", {}, ...names.map((name) => el("th", { scope: "col" }, name.replaceAll("_", " "))))),
    el("tbody", {}, ...epochs.map((epoch) => el("tr", {}, ...names.map((name) => el("td", {}, epoch[name] ?? ""))))),
  );
}
