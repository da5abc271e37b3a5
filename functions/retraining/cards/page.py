"""The page: all parts of a card in one HTML document that asks nothing of anybody.

No script, no request, no link that leads away: the content security policy forbids what the page does not
have, so that even markup which slipped through would do nothing.
"""

import base64
import hashlib
from functools import cache
from pathlib import Path

from retraining.cards import confusion, deployment, head, journey, judgement, lineage, training
from retraining.cards.facts import Facts
from retraining.cards.figures import day_and_clock
from retraining.cards.markup import Html, code, element, together

STYLE_SHEET = Path(__file__).with_name("card.css")


def render(facts: Facts) -> str:
    """Write the card of a run.

    Parameters
    ----------
    facts : Facts
        What is known of it. Whatever is missing is left out, or said to be missing.

    Returns
    -------
    str
        An HTML document of its own.
    """
    judged = (
        judgement.verdict(facts),
        judgement.comparison(facts),
        confusion.confusions(facts),
        judgement.slices(facts),
        training.training(facts),
    )
    has_verdict = judged[0] is not None
    way, origin, cost = journey.journey(facts), lineage.lineage(facts), lineage.cost(facts)
    wrong, deployed = lineage.wrong(facts), deployment.deployment(facts)
    # Whoever opens the card of a failure asks what happened, of a refusal who refused, and of any other what
    # the gate said.
    stopped = wrong is not None or head.is_refused(facts)
    told = (wrong, deployed, *judged) if stopped else (*judged, deployed)
    main = told if has_verdict else (wrong, way, deployed, *judged)
    side = (way, origin, cost) if has_verdict else (cost, origin)
    body = element(
        "body",
        head.head(facts),
        element(
            "main",
            element("div", together(main), class_="column"),
            element("div", together(side), class_="column"),
        ),
        _foot(facts),
        class_=head.outcome_class(facts),
    )
    return f"<!DOCTYPE html>\n{element('html', _head(facts), body, lang='en')}\n"


def _head(facts: Facts) -> Html:
    style, digest = _style()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    return element(
        "head",
        element("meta", charset="utf-8"),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="robots", content="noindex"),
        element("meta", name="color-scheme", content="light dark"),
        # Without one, a browser would ask the server for a favicon.
        element("link", rel="icon", href="data:,"),
        element("title", head.title(facts)),
        element("style", style),
    )


def _foot(facts: Facts) -> Html:
    run_id = facts.record.get("run_id")
    return element(
        "footer",
        element(
            "p",
            "On the command line: ",
            code(f"retrain show {run_id}"),
            " ",
            code(f"retrain gate explain {run_id}"),
            " ",
            code(f"retrain logs {run_id}"),
        ),
        element("p", f"Retrain's card of the run {run_id}, written {day_and_clock(facts.written_at)}."),
    )


@cache
def _style() -> tuple[Html, str]:
    """Return the style sheet, and the digest by which the policy knows it."""
    sheet = STYLE_SHEET.read_text(encoding="utf-8")
    return Html(sheet), base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
