"""State machines drawn: layered, nested, and coloured by what an execution did.

`draw(machine)` gives a `Drawing`, which is SVG, Mermaid or text; `draw(machine, progress)` the same with
every state in the colour of how it went. Nothing needs a program beside Python's packages.

Examples
--------
>>> from retrain.states.model import parse
>>> from retrain.workflow.drawing import draw
>>> machine = parse({"StartAt": "Greet", "States": {"Greet": {"Type": "Pass", "End": True}}})
>>> print(draw(machine).mermaid().splitlines()[0])
flowchart TD
"""

from retrain.workflow.drawing.drawing import Drawing, draw
from retrain.workflow.drawing.errors import DrawingError, LayoutError
from retrain.workflow.drawing.progress import STATUSES, Progress, StateProgress, Status
from retrain.workflow.drawing.svg import stylesheet

__all__ = [
    "STATUSES",
    "Drawing",
    "DrawingError",
    "LayoutError",
    "Progress",
    "StateProgress",
    "Status",
    "draw",
    "stylesheet",
]
