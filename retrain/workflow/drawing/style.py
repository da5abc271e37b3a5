"""The style sheet of drawings, for light and dark surroundings."""

from __future__ import annotations

from typing import Final

ROOT: Final = "retrain-graph"
"""The class of every drawing; nothing outside of it is touched."""

_LIGHT: Final = {
    "background": "#ffffff",
    "frame": "#d1d9e0",
    "text": "#1f2328",
    "soft": "#59636e",
    "node": "#ffffff",
    "border": "#6e7781",
    "branch": "#f6f8fa",
    "edge": "#59636e",
    "catch": "#bc4c00",
    "choice-fill": "#fbf7ff",
    "choice": "#8250df",
    "good-fill": "#dafbe1",
    "good": "#1a7f37",
    "busy-fill": "#ddf4ff",
    "busy": "#0969da",
    "bad-fill": "#ffebe9",
    "bad": "#cf222e",
    "caught-fill": "#fff1e5",
    "caught": "#bc4c00",
    "idle-fill": "#f6f8fa",
    "idle": "#c0c8d0",
    "stopped-fill": "#eaeef2",
    "stopped": "#59636e",
}
_DARK: Final = {
    "background": "#0d1117",
    "frame": "#30363d",
    "text": "#f0f6fc",
    "soft": "#9198a1",
    "node": "#151b23",
    "border": "#7d8590",
    "branch": "#0d1117",
    "edge": "#9198a1",
    "catch": "#f0883e",
    "choice-fill": "#1e1633",
    "choice": "#ab7df8",
    "good-fill": "#12301c",
    "good": "#3fb950",
    "busy-fill": "#0f2a4a",
    "busy": "#4493f8",
    "bad-fill": "#3c1618",
    "bad": "#f85149",
    "caught-fill": "#37210f",
    "caught": "#f0883e",
    "idle-fill": "#0d1117",
    "idle": "#3d444d",
    "stopped-fill": "#212830",
    "stopped": "#9198a1",
}
_RULES: Final = """
.retrain-graph text { font-family: system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif;
  fill: var(--text); text-anchor: middle; }
.retrain-graph .background { fill: var(--background); stroke: var(--frame); }
.retrain-graph .name { font-size: 14px; font-weight: 600; }
.retrain-graph .caption, .retrain-graph .how { font-size: 11px; fill: var(--soft); }
.retrain-graph .box { fill: var(--node); stroke: var(--border); stroke-width: 1.2; }
.retrain-graph .sheet, .retrain-graph .state .sheet { stroke-width: 1; }
.retrain-graph .branch { fill: var(--branch); stroke: var(--frame); stroke-dasharray: 2 3; }
.retrain-graph .choice > .box { fill: var(--choice-fill); stroke: var(--choice); }
.retrain-graph .succeed > .box { fill: var(--node); stroke: var(--good); stroke-width: 2; }
.retrain-graph .fail > .box { fill: var(--node); stroke: var(--bad); stroke-width: 2; }
.retrain-graph .dot { fill: var(--text); stroke: none; }
.retrain-graph .ring { fill: none; stroke: var(--text); stroke-width: 1.5; }
.retrain-graph .way { fill: none; stroke: var(--edge); stroke-width: 1.4; }
.retrain-graph .tip { fill: var(--edge); stroke: none; }
.retrain-graph .label { font-size: 11px; fill: var(--text); stroke: var(--background); stroke-width: 4px;
  stroke-linejoin: round; paint-order: stroke; }
.retrain-graph .catch .way { stroke: var(--catch); stroke-dasharray: 5 4; }
.retrain-graph .catch .tip { fill: var(--catch); }
.retrain-graph .catch .label { fill: var(--catch); }
.retrain-graph .taken .way { stroke-width: 3; }
.retrain-graph.in-progress .edge:not(.taken) path { opacity: 0.5; }
.retrain-graph .sign { stroke: none; }
.retrain-graph .sign-mark { fill: none; stroke: var(--background); stroke-width: 2; stroke-linecap: round;
  stroke-linejoin: round; }
.retrain-graph .again { fill: none; stroke: var(--soft); stroke-width: 1.3; stroke-linecap: round;
  stroke-linejoin: round; }
.retrain-graph .state[tabindex] { cursor: pointer; }
.retrain-graph .state[tabindex]:focus { outline: none; }
.retrain-graph .state[tabindex]:focus-visible > .box { stroke-width: 4; }
"""
_STATUS_RULES: Final = """
.retrain-graph .state.{status} > .box {{ fill: var(--{colour}-fill); stroke: var(--{colour});
  stroke-width: 2; }}
.retrain-graph .{status} > .sign {{ fill: var(--{colour}); }}
"""
_COLOURS: Final = {
    "succeeded": "good",
    "running": "busy",
    "failed": "bad",
    "caught": "caught",
    "aborted": "stopped",
    "not_reached": "idle",
}
_MORE: Final = """
.retrain-graph .not_reached > text { fill: var(--soft); }
.retrain-graph .aborted > .box:not(.sheet) { stroke-dasharray: 6 3; }
"""


def stylesheet() -> str:
    """Return the style sheet of all drawings, for a page that serves it beside them."""
    light = "".join(f"--{name}: {value}; " for name, value in _LIGHT.items())
    dark = "".join(f"--{name}: {value}; " for name, value in _DARK.items())
    statuses = "".join(_STATUS_RULES.format(status=each, colour=colour) for each, colour in _COLOURS.items())
    return (
        f".retrain-graph {{ {light}}}\n"
        f"@media (prefers-color-scheme: dark) {{ .retrain-graph {{ {dark}}} }}"
        f"{_RULES}{statuses.lstrip()}{_MORE.lstrip()}"
    )
