// The list of runs.

import { byId, el, keyed, setText } from "./dom.js";
import { between, figure, metricName, said, seconds, tone, when } from "./words.js";

let before = null;

export function showRuns(runs, shown) {
  byId("no-runs").hidden = runs.length > 0;
  keyed(byId("run-list"), runs, (run) => run.run_id, make, (item, run) => update(item, run, run.run_id === shown));
  announce(runs);
}

function make(run) {
  return el("li", {}, el("a", { href: `/runs/${encodeURIComponent(run.run_id)}`, "data-run": run.run_id },
    el("span", { class: "row" }, el("strong"), el("span", { class: "chip" })),
    el("span", { class: "row soft small" }, el("span"), el("span")),
  ));
}

function update(item, run, current) {
  const link = item.firstChild;
  if (current) link.setAttribute("aria-current", "page");
  else link.removeAttribute("aria-current");
  link.title = run.run_id;
  const [[name, chip], [begun, result]] = [...link.children].map((row) => row.children);
  setText(name, run.dataset ?? run.run_id);
  setText(chip, said(run.outcome));
  chip.className = `chip ${tone(run.outcome)}`;
  const took = run.finished_at ? `, ${seconds(between(run.started_at, run.finished_at))}` : "";
  setText(begun, `${when(run.started_at)}${took}`);
  setText(result, run.value === null ? "" : `${figure(run.metric, run.value)}`);
  result.title = metricName(run.metric);
}

/** Tell those who do not see the list what has changed in it. */
function announce(runs) {
  const now = new Map(runs.map((run) => [run.run_id, run.outcome]));
  if (before !== null) {
    for (const run of runs) {
      if (before.get(run.run_id) === run.outcome) continue;
      const what = before.has(run.run_id) || run.outcome !== "RUNNING" ? `is ${said(run.outcome)}` : "has begun";
      byId("announcement").textContent = `A run of ${run.dataset ?? run.run_id} ${what}`;
    }
  }
  before = now;
}
