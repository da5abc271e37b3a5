"""The gate: whether a challenger may take the champion's place, and why, in words.

Pure functions over joined predictions. Every figure is computed here, from the predictions and the truth;
none comes from what a training job says about itself. A further check is one more function that gives a
`Check`.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from retraining.plans import GatePolicy
from retraining.predictions import Finding, Joined

PROMOTE = "promote"
REJECT = "reject"

_ROUNDING = 1e-12
"""Allowance for differences of binary fractions: 0.97 - 0.975 must count as -0.005."""


@dataclass(frozen=True, slots=True)
class Score:
    """A model's figures on the holdout; ``rows`` and ``correct`` are counts, ``accuracy`` their quotient."""

    accuracy: float
    correct: int
    rows: int


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a verdict.

    Attributes
    ----------
    name : str
        The check, as in the policy.
    figure, bound : float or None
        What was found and what was asked; None where the check is not about a figure.
    passed : bool
        Whether it speaks for promotion.
    sentence : str
        The same for people.
    """

    name: str
    figure: float | None
    bound: float | None
    passed: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Champion:
    """What the gate knows of the model in service.

    ``score`` is None when it could not be scored on this holdout, and ``reason`` then says why.
    """

    run_id: str
    score: Score | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict, with everything it rests on."""

    verdict: str
    summary: str
    checks: list[Check] = field(default_factory=list)
    challenger: Score | None = None
    champion: Score | None = None

    def as_document(self) -> dict[str, Any]:
        """Return the decision as JSON's types, in the shape of the run record."""
        return {
            "verdict": self.verdict,
            "summary": self.summary,
            "checks": [asdict(check) for check in self.checks],
            "metrics": {
                "challenger": asdict(self.challenger) if self.challenger else None,
                "champion": asdict(self.champion) if self.champion else None,
            },
        }


def score(joined: Joined) -> Score:
    """Compute a model's figures."""
    correct = joined.correct
    return Score(correct / joined.rows, correct, joined.rows)


def decide(
    policy: GatePolicy, challenger: Joined | None, findings: list[Finding], champion: Champion | None
) -> Decision:
    """Judge a challenger.

    Parameters
    ----------
    policy : GatePolicy
        The bounds.
    challenger : Joined or None
        Its predictions on the holdout; None if `findings` says what is wrong with them.
    findings : list of Finding
        Faults of the challenger's predictions.
    champion : Champion or None
        The model in service, None if there is none yet.
    """
    if challenger is None or findings:
        checks = [Check("predictions", finding.count, 0, False, finding.sentence) for finding in findings]
        summary = "The challenger cannot be judged: " + " ".join(finding.sentence for finding in findings)
        return Decision(REJECT, summary, checks)
    found = score(challenger)
    checks = [_predictions(found), _value_threshold(policy, found)]
    if champion is not None:
        checks.append(_change_threshold(policy, found, champion))
    failed = [check for check in checks if not check.passed]
    verdict = REJECT if failed else PROMOTE
    told = failed or checks[1:]
    summary = " ".join(check.sentence for check in told)
    if champion is None and not failed:
        summary += " There is no champion yet."
    return Decision(verdict, summary, checks, found, champion.score if champion else None)


def percent(value: float) -> str:
    """Write a proportion as people read it: ``98.91 %``."""
    return f"{value * 100:.2f} %"


def _predictions(found: Score) -> Check:
    sentence = f"All {found.rows:,} rows of the holdout were predicted, each once."
    return Check("predictions", 0, 0, True, sentence)


def _value_threshold(policy: GatePolicy, found: Score) -> Check:
    bound = policy.value_threshold
    passed = found.accuracy >= bound - _ROUNDING
    sentence = (
        f"Accuracy {percent(found.accuracy)} ({found.correct:,} of {found.rows:,}) "
        f"{'reaches' if passed else 'is below'} the required {percent(bound)}."
    )
    return Check("value_threshold", found.accuracy, bound, passed, sentence)


def _change_threshold(policy: GatePolicy, found: Score, champion: Champion) -> Check:
    bound = policy.change_threshold
    if champion.score is None:
        sentence = f"The challenger cannot be compared with the champion: {champion.reason}"
        return Check("change_threshold", None, bound, False, sentence)
    change = found.accuracy - champion.score.accuracy
    passed = change >= bound - _ROUNDING
    points = f"{abs(change) * 100:.2f} points"
    relation = f"{points} better than" if change > 0 else f"{points} worse than" if change < 0 else "equal to"
    allowed = (
        "which is not worse, as asked"
        if bound == 0 and passed
        else "and must not be worse"
        if bound == 0
        else f"a gain of at least {bound * 100:.2f} points is asked"
        if bound > 0
        else f"a loss of at most {-bound * 100:.2f} points is tolerated"
    )
    theirs = percent(champion.score.accuracy)
    sentence = f"Accuracy {percent(found.accuracy)} is {relation} the champion's {theirs}, {allowed}."
    return Check("change_threshold", change, bound, passed, sentence)
