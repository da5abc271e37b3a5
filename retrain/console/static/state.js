// What the history says of one state: input, output, and every attempt with its error.

import { byId, el, setText } from "./dom.js";
import { between, said, seconds, tone, when } from "./words.js";

let runOf = () => null;
let open = null; // {run, state} that is shown
let summary = "";

export function setUp(run) {
  runOf = run;
  const dialog = byId("state");
  dialog.addEventListener("close", () => { open = null; });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // beside it
  });
}

export function openState(name) {
  open = { run: runOf(), state: name };
  setText(byId("state-title"), name);
  byId("state-visits").replaceChildren(el("p", { class: "soft" }, "Reading the history …"));
  const dialog = byId("state");
  if (!dialog.open) dialog.showModal();
  show();
}

/** Show the open state anew if anything has become of it. */
export function statesChanged(visits) {
  if (open === null) return;
  const now = JSON.stringify(visits.filter((visit) => visit.name === open.state));
  if (now !== summary) show(now);
}

async function show(now = "") {
  summary = now;
  const asked = open;
  const box = byId("state-visits");
  let found;
  try {
    const answer = await fetch(`/api/runs/${encodeURIComponent(asked.run)}/states?name=${encodeURIComponent(asked.state)}`);
    found = await answer.json();
  } catch (error) {
    found = { error: `The console does not answer (${error.message}).` };
  }
  if (open !== asked) return;
  if (found.error) box.replaceChildren(el("p", { class: "trouble" }, found.error));
  else if (found.visits.length === 0) box.replaceChildren(el("p", { class: "soft" }, "This state has not been reached."));
  else {
    const left = found.left_out ? [el("p", { class: "soft" }, `${found.left_out} visits before these are left out.`)] : [];
    box.replaceChildren(...left, ...found.visits.map((visit, index) => visitPart(visit, index, found.visits.length)));
  }
}

function visitPart(visit, index, count) {
  const took = visit.left_at ? `, ${seconds(between(visit.entered_at, visit.left_at))}` : "";
  const errors = visit.attempts.filter((attempt) => attempt.error);
  return el("section", { class: "visit" },
    el("p", { class: "row" },
      el("span", {}, el("span", { class: `chip ${tone(visit.outcome)}` }, said(visit.outcome)),
        ` ${visit.type}${visit.path === visit.name ? "" : `, ${visit.path}`}`),
      el("span", { class: "soft small" }, `${count > 1 ? `visit ${index + 1} of ${count}, ` : ""}${when(visit.entered_at)}${took}`)),
    ...errors.map((attempt) => errorPart(attempt, visit.attempts.indexOf(attempt), visit.attempts.length)),
    data("Input", visit.input, errors.length === 0),
    visit.left_at && visit.output !== null ? data("Output", visit.output, errors.length === 0) : null,
  );
}

function errorPart(attempt, index, count) {
  return el("div", { class: "error" },
    el("h3", {}, count > 1 ? `Error of attempt ${index + 1} of ${count}: ` : "Error: ", el("code", {}, attempt.error)),
    ...causeParts(attempt.cause));
}

/** A cause is often JSON in a text, as Lambda's and SageMaker's are: what it says to people first, then all of it. */
function causeParts(cause) {
  if (!cause) return [];
  const box = (text) => el("pre", { tabindex: "0" }, text);
  let found;
  try {
    found = JSON.parse(cause);
  } catch {
    return [box(cause)];
  }
  const all = box(JSON.stringify(found, null, 2));
  const message = found?.errorMessage ?? found?.FailureReason;
  return message ? [box(String(message)), el("details", {}, el("summary", {}, "The whole cause"), all)] : [all];
}

function data(name, value, expanded) {
  return el("details", { open: expanded }, el("summary", {}, name),
    el("pre", { tabindex: "0" }, JSON.stringify(value, null, 2) ?? "none"));
}
