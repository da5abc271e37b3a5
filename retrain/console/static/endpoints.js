// The endpoints and their champions.

import { byId, el } from "./dom.js";
import { figure, metricName, when } from "./words.js";

export function showEndpoints(endpoints) {
  const drawn = endpoints.map(card);
  byId("champions").replaceChildren(...(drawn.length ? drawn : [el("p", { class: "soft" }, "No endpoint serves yet.")]));
  choices(endpoints.filter((endpoint) => endpoint.status));
}

function card(endpoint) {
  const status = endpoint.status ?? "absent";
  const tone = { InService: "good", Failed: "bad", absent: "idle" }[status] ?? "busy";
  const rows = [];
  if (endpoint.run_id) {
    if (endpoint.value !== null) rows.push([metricName(endpoint.metric), figure(endpoint.metric, endpoint.value)]);
    rows.push(["run", runLink(endpoint.run_id)]);
    if (endpoint.deployed_at) rows.push(["since", when(endpoint.deployed_at)]);
    if (endpoint.predecessor) rows.push(["before", runLink(endpoint.predecessor)]);
  }
  return el("div", { class: "champion" },
    el("p", { class: "row" }, el("strong", {}, endpoint.name), el("span", { class: `chip ${tone}` }, status)),
    el("dl", { class: "facts" }, ...rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
  );
}

const runLink = (id) => el("a", { href: `/runs/${encodeURIComponent(id)}`, "data-run": id }, id);

function choices(endpoints) {
  const select = byId("dataset");
  const names = endpoints.map((endpoint) => endpoint.dataset);
  if (names.join("\n") === [...select.options].map((option) => option.value).join("\n")) return;
  const chosen = select.value;
  select.replaceChildren(...names.map((name) => el("option", { value: name }, name)));
  if (names.includes(chosen)) select.value = chosen;
  select.disabled = names.length === 0;
}
