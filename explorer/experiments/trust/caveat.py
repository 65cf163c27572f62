"""What a person should know before trusting the result of an attack."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """Where the literature explains a caveat."""

    title: str
    url: str


CARLINI = Reference(
    "Carlini et al. 2019, On Evaluating Adversarial Robustness", "https://arxiv.org/abs/1902.06705"
)
CARLINI_WAGNER = Reference(
    "Carlini and Wagner 2017, Towards Evaluating the Robustness of Neural Networks",
    "https://arxiv.org/abs/1608.04644",
)
PINTOR = Reference(
    "Pintor et al. 2022, Indicators of Attack Failure", "https://arxiv.org/abs/2106.09947"
)
ZIMMERMANN = Reference(
    "Zimmermann et al. 2022, Increasing Confidence in Adversarial Robustness Evaluations",
    "https://arxiv.org/abs/2206.13991",
)


@dataclass(frozen=True)
class Caveat:
    """A reason to doubt a figure.

    ``code`` names the kind for programs. ``text`` says what was observed and what it means, and
    ``advice`` what to do: clauses that begin with a small letter and end without a full stop.
    """

    code: str
    text: str
    advice: str
    reference: Reference

    @property
    def sentence(self) -> str:
        """What was observed and what to do, as one clause."""
        return f"{self.text}; {self.advice}"


def warnings_json(caveats: Iterable[Caveat], notes: Sequence[str] = ()) -> list[dict[str, str]]:
    """The value of ``"warnings"`` in a command's JSON: ``code`` and ``text`` of each.

    ``notes`` are those of the classifiers; one that says the same as a caveat comes once.
    """
    warnings = [{"code": each.code, "text": each.sentence} for each in caveats]
    known = {each["text"] for each in warnings}
    return [{"code": "classifier", "text": note} for note in notes if note not in known] + warnings
