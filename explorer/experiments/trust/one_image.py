"""The checks of an attack on one image, from its report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from explorer.attacks import AttackResult
from explorer.classifiers import Classifier
from explorer.experiments.one_image.attack_image import attack_from
from explorer.experiments.one_image.report import AttackReport
from explorer.experiments.trust.caveat import Caveat
from explorer.experiments.trust.evidence import FAINT, Evidence, near_chance_below
from explorer.experiments.trust.judgement import caveats_of
from explorer.experiments.trust.passes import ExtraPasses
from explorer.experiments.trust.traces import trace_evidence


def check_report(
    classifier: Classifier,
    report: AttackReport,
    *,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[Caveat, ...]:
    """All caveats of the attack in ``report``, from its trace and from about five passes.

    Raises :class:`~explorer.errors.Cancelled` when ``cancelled()`` is true.
    """
    return caveats_of(report_evidence(classifier, report, cancelled=cancelled), classifier)


def evidence_at_once(report: AttackReport) -> Evidence:
    """What the report shows by itself: its trace, the prediction before, the picture in 8 bits."""
    lost = report.success and not report.survives_8bit
    before = float(report.before.probabilities[report.label])
    seen = Evidence(
        checked=1,
        checked_succeeded=int(report.success),
        near_chance=int(before < near_chance_below(len(report.names))),
        lost_by_rounding=int(lost),
    )
    return _relevant(_of_trace(report) + seen, report)


def report_evidence(
    classifier: Classifier,
    report: AttackReport,
    *,
    cancelled: Callable[[], bool] | None = None,
) -> Evidence:
    """What the report and the extra passes show."""
    label, target = _classes(report)
    passes = ExtraPasses(
        classifier,
        report.original[None],
        label,
        target,
        attack_from(report.recipe),
        _result_of(report),
        cancelled,
    )
    return _relevant(_of_trace(report) + passes.evidence(), report)


def is_faint(report: AttackReport) -> bool:
    """Whether the attack succeeded though the classifier hardly believes in the class it says."""
    return report.success and report.after.confidence < FAINT


def _of_trace(report: AttackReport) -> Evidence:
    label, target = _classes(report)
    evidence = trace_evidence(_result_of(report), label, target, report.recipe.loss)
    return replace(evidence, faint=int(is_faint(report)))


def _classes(report: AttackReport) -> tuple[torch.Tensor, torch.Tensor | None]:
    target = None if report.target is None else torch.tensor([report.target])
    return torch.tensor([report.label]), target


def _result_of(report: AttackReport) -> AttackResult:
    trace = report.trace.to(torch.device("cpu"))
    return AttackResult(
        adversarial=report.adversarial[None],
        success=torch.tensor([report.success]),
        logits=trace.logits[trace.kept[0]],
        trace=trace,
        precision=report.recipe.precision,
    )


def _relevant(evidence: Evidence, report: AttackReport) -> Evidence:
    """Without what compares attacks, where the image needed none or none was allowed."""
    if report.outcome != "misclassified" and report.recipe.epsilon > 0:
        return evidence
    return replace(
        evidence,
        faint=0,
        near_chance=0,
        rising=0,
        noise_as_good=0,
        noise_only=0,
        one_step_only=0,
        lost_by_rounding=0,
    )
