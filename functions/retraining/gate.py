"""The gate: whether a challenger may take the champion's place, and why, in words.

Pure functions over joined predictions. Every figure is computed here, from the predictions and the truth;
none comes from what a training job says about itself. A further check is one more function in `checks`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from retraining import checks, scores
from retraining.checks import Check, Costs
from retraining.policy import OFF, GatePolicy
from retraining.predictions import Finding, Joined
from retraining.scores import Group, Key, Score

PROMOTE = "promote"
REJECT = "reject"

SUMMARY_LIMIT = 1_000
"""Characters; a model package's description takes 1,024."""

_MOST_GROUPS = 500
"""Classes and slices that an evaluation keeps."""


@dataclass(frozen=True, slots=True)
class Champion:
    """What the gate knows of the model in service.

    Attributes
    ----------
    run_id : str
        The run that it came from.
    joined : Joined or None
        Its predictions on this holdout; None if there are none, and ``reason`` then says why.
    source : str
        Where the predictions came from, as the end of a sentence.
    """

    run_id: str
    joined: Joined | None
    reason: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict, with everything it rests on."""

    verdict: str
    summary: str
    policy: GatePolicy
    checks: list[Check] = field(default_factory=list)
    challenger: Score | None = None
    champion: Score | None = None
    challenger_groups: Mapping[Key, Group] = field(default_factory=dict)
    champion_groups: Mapping[Key, Group] = field(default_factory=dict)

    def as_document(self) -> dict[str, Any]:
        """Return the decision as JSON's types, in the shape of the run record."""
        return {
            "verdict": self.verdict,
            "summary": self.summary,
            "checks": [asdict(check) for check in self.checks],
            "metrics": {
                "metric": self.policy.metric,
                "challenger": self.challenger.as_document() if self.challenger else None,
                "champion": self.champion.as_document() if self.champion else None,
            },
        }

    def details(self) -> dict[str, Any]:
        """Return what is too much for the run's record: by class and slice, and the confusion matrices."""
        return {
            "groups": [
                {
                    "column": column,
                    "value": value,
                    "rows": group.rows,
                    "challenger": group.figure,
                    "interval": list(group.interval) if group.interval else None,
                    "champion": self.champion_groups[column, value].figure
                    if (column, value) in self.champion_groups
                    else None,
                }
                for (column, value), group in _worst_groups(self.challenger_groups, self.policy)
            ],
            "confusion": {
                "challenger": self.challenger.confusion_document() if self.challenger else None,
                "champion": self.champion.confusion_document() if self.champion else None,
            },
        }


def decide(
    policy: GatePolicy,
    challenger: Joined | None,
    findings: list[Finding],
    champion: Champion | None,
    costs: Costs | None = None,
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
    costs : Costs, optional
        What serving the challenger would cost, as far as it was measured.
    """
    if challenger is None or findings:
        lines = [Check("predictions", finding.count, 0, False, finding.sentence) for finding in findings]
        summary = "The challenger cannot be judged: " + " ".join(finding.sentence for finding in findings)
        return Decision(REJECT, _shortened(summary), policy, lines)
    lines = [checks.every_row(challenger.rows), checks.min_holdout_rows(policy, challenger.rows)]
    uniform = checks.single_class(challenger)
    lines += [uniform] if uniform else []
    if not all(line.passed for line in lines):
        return Decision(REJECT, _summary(lines, champion), policy, lines)
    found = scores.score(challenger)
    groups = scores.groups(challenger, policy.judged_by, policy.slice_min_rows)
    theirs = champion.joined if champion else None
    their_score = scores.score(theirs) if theirs else None
    their_groups = scores.groups(theirs, policy.judged_by, policy.slice_min_rows) if theirs else {}
    lines.append(checks.value_threshold(policy, found))
    if champion is not None and theirs is None:
        lines.append(_without_champion(policy, champion))
    if theirs is not None and their_score is not None:
        lines.append(checks.change_threshold(policy, found, their_score))
        if policy.significance != OFF:
            lines.append(checks.significance(policy, challenger, theirs))
    if policy.slice_floor is not None:
        left_out = scores.too_small(challenger, policy.judged_by, policy.slice_min_rows)
        lines.append(checks.slice_floor(policy, policy.slice_floor, groups, left_out))
    if policy.slice_max_drop is not None and theirs is not None:
        lines.append(checks.slice_max_drop(policy, policy.slice_max_drop, groups, their_groups))
    costs = costs or Costs()
    if policy.max_model_megabytes is not None:
        lines.append(checks.max_model_megabytes(policy.max_model_megabytes, costs))
    if policy.max_latency_ms is not None:
        lines.append(checks.max_latency_ms(policy.max_latency_ms, costs))
    verdict = PROMOTE if all(line.passed for line in lines) else REJECT
    summary = _summary(lines, champion)
    return Decision(verdict, summary, policy, lines, found, their_score, groups, their_groups)


def _without_champion(policy: GatePolicy, champion: Champion) -> Check:
    if policy.without_champion_predictions == "thresholds_only":
        sentence = (
            f"There is nothing to compare with: {champion.reason} The policy lets thresholds alone decide "
            "(without_champion_predictions is thresholds_only)."
        )
        return Check("champion_predictions", None, None, True, sentence)
    sentence = f"The challenger cannot be compared with the champion: {champion.reason}"
    return Check("champion_predictions", None, None, False, sentence)


def _summary(lines: list[Check], champion: Champion | None) -> str:
    """Say why: what failed, or what speaks for the challenger."""
    failed = [line for line in lines if not line.passed]
    telling = ("value_threshold", "champion_predictions", "change_threshold", "significance")
    told = failed or [line for line in lines if line.name in telling]
    summary = " ".join(line.sentence for line in told)
    if champion is None and not failed:
        summary += " There is no champion yet."
    return _shortened(summary)


def _shortened(summary: str) -> str:
    return summary if len(summary) <= SUMMARY_LIMIT else f"{summary[: SUMMARY_LIMIT - 3]}..."


def _worst_groups(groups: Mapping[Key, Group], policy: GatePolicy) -> list[tuple[Key, Group]]:
    """Return classes and slices in a readable order, the worst only if there are very many."""
    sign = -1 if policy.judged_by.numeric else 1
    worst = sorted(groups.items(), key=lambda item: sign * item[1].figure)[:_MOST_GROUPS]
    return sorted(
        worst, key=lambda item: (item[0][0] != scores.CLASS, item[0][0], scores.class_order(item[0][1]))
    )
