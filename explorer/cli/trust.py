"""What ``attack`` and ``rerun`` say about the result's trustworthiness, and a second opinion."""

from __future__ import annotations

import sys

from explorer.classifiers import Classifier
from explorer.cli.common import print_caveats
from explorer.cli.progress import progress_bar
from explorer.errors import UserError
from explorer.experiments.one_image.report import AttackReport
from explorer.experiments.second_opinion import Opinion, SecondOpinion, second_opinion
from explorer.experiments.trust import check_report, warnings_json


def trust_values(classifier: Classifier, report: AttackReport) -> dict[str, object]:
    """Print the caveats of the attack on standard error, and return what its JSON says of them.

    The classifier's notes are printed before the attack begins.
    """
    caveats = check_report(classifier, report)
    print_caveats(caveat for caveat in caveats if caveat.sentence not in classifier.notes)
    recipe = report.recipe
    return {
        "warnings": warnings_json(caveats, classifier.notes),
        "precision": recipe.precision,
        "seed": recipe.seed,
        "versions": recipe.versions,
    }


def second_opinion_values(classifier: Classifier, report: AttackReport) -> dict[str, object]:
    """Ask for a second opinion, with progress on standard error, and return its JSON.

    Its sentence is printed there too. The JSON is null where none can be had.
    """
    with progress_bar("call") as show:
        try:
            opinion = second_opinion(classifier, report, on_call=show)
        except UserError as error:
            print(f"note: {error}", file=sys.stderr)
            return {"second_opinion": None}
    print(f"second opinion: {opinion.sentence}", file=sys.stderr)
    return {"second_opinion": _values(opinion)}


def _values(opinion: SecondOpinion) -> dict[str, object]:
    return {
        "agrees": opinion.agrees,
        "text": opinion.sentence,
        "attacks": [_attack(each) for each in (opinion.apgd, opinion.square)],
        "library": opinion.library,
    }


def _attack(opinion: Opinion) -> dict[str, object]:
    return {
        "name": opinion.name,
        "success": opinion.success,
        "prediction": {
            "name": opinion.prediction.name,
            "confidence": opinion.prediction.confidence,
        },
        "distance": opinion.distance,
    }
