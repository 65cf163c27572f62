"""The words on the pages, each explained by a sentence, a formula and a small picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from explorer.ui.shared import glossary_pictures as pictures


@dataclass(frozen=True)
class Term:
    """A word of the field.

    ``name`` is how the pages write it, ``text`` explains it in Markdown, ``formula`` is LaTeX, and
    ``picture`` draws an SVG, which ``alt`` describes.
    """

    name: str
    text: str
    formula: str
    picture: Callable[[], str]
    alt: str


GLOSSARY: dict[str, Term] = {
    "epsilon": Term(
        "ε",
        "The most by which an attack may change a picture. In L∞ it is written as n/255: a pixel "
        "has a value from 0 to 255 for each of red, green and blue, and none may change by more "
        "than n.",
        r"\|x' - x\| \le \varepsilon",
        pictures.ball,
        "a picture as a point, and the changes of size at most ε as a square around it",
    ),
    "linf": Term(
        "L∞",
        "The largest change of any value of any pixel. All values may change that much at once.",
        r"\|\delta\|_\infty = \max_i |\delta_i|",
        pictures.linf,
        "bars for the change of each value, none longer than ε up or down",
    ),
    "l2": Term(
        "L2",
        "The length of the whole change: the root of the sum of the squares of all changes. Values "
        "run from 0 to 1, and L2 = 1 is one value changed from 0 to 1, or ten thousand changed by "
        "0.01 each.",
        r"\|\delta\|_2 = \sqrt{\textstyle\sum_i \delta_i^2}",
        pictures.l2,
        "a right triangle: two changes are the legs, and their L2 length is the long side",
    ),
    "ssim": Term(
        "SSIM",
        "Structural similarity: how alike two pictures look. It compares brightness, contrast and "
        "pattern around each pixel; 1 means the same picture.",
        r"\frac{(2\mu_x\mu_{x'} + c_1)(2\sigma_{xx'} + c_2)}"
        r"{(\mu_x^2 + \mu_{x'}^2 + c_1)(\sigma_x^2 + \sigma_{x'}^2 + c_2)}",
        pictures.ssim,
        "the brightness along a line of a picture, and along the same line of two others: one "
        "follows it, the other does not",
    ),
    "pgd": Term(
        "PGD",
        "Projected gradient descent: many small steps, each of which makes the classifier more "
        "wrong (raises its loss) and is then brought back within ε.",
        r"\delta \leftarrow \Pi_\varepsilon\big(\delta + \alpha \cdot s(\nabla_x L)\big)",
        pictures.pgd,
        "steps inside of a square; the one that leaves it is brought back to its edge",
    ),
    "fgsm": Term(
        "FGSM",
        "Fast gradient sign method: one step, as long as ε allows, in the direction of the sign "
        "of the gradient.",
        r"x' = x + \varepsilon \cdot \mathrm{sign}(\nabla_x L)",
        pictures.fgsm,
        "one step from the centre of a square to its corner",
    ),
    "gradient": Term(
        "gradient",
        "How fast the loss, a number for how wrong the classifier is, changes with each value of "
        "the picture. Its sign says whether a value has to go up or down to raise the loss.",
        r"\nabla_x L = \Big(\frac{\partial L}{\partial x_1}, \dots\Big)",
        pictures.gradient,
        "a curve of the loss over one value, with its tangent; the slope is the gradient",
    ),
    "step_size": Term(
        "step size",
        "How far one step of PGD goes. Unless you set it, step t is 2.5 ε/t long, and at most ε.",
        r"\alpha_t = \min\Big(\varepsilon,\ \frac{2.5\,\varepsilon}{t}\Big)",
        pictures.step_size,
        "bars for the length of each step, which fall like one over t",
    ),
    "restart": Term(
        "restart",
        "PGD once more, from another random start. The best result of all counts, so that more "
        "restarts never make an attack weaker.",
        r"\max_{r} L\big(f(x + \delta^{(r)}), y\big)",
        pictures.restart,
        "three paths from different starts; one of them ends higher than the others",
    ),
    "logits": Term(
        "logits",
        "The classifier's raw score for each class. Softmax, the formula below, turns the scores "
        "into confidences that add up to 100 %.",
        r"p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}",
        pictures.logits,
        "bars for the scores of three classes, and bars for the confidences made of them",
    ),
    "margin": Term(
        "margin",
        "How far the score of the best wrong class lies above that of the label: above 0, the "
        "classifier is wrong.",
        r"\max_{k \neq y} z_k - z_y",
        pictures.margin,
        "two bars, the label's score and that of the best wrong class; the margin is the gap",
    ),
    "dlr": Term(
        "DLR",
        "Difference of logits ratio: the margin, divided by a difference of other scores, so that "
        "it does not depend on their scale.",
        r"-\frac{z_y - \max_{k \neq y} z_k}{z_{\pi_1} - z_{\pi_3}}",
        pictures.dlr,
        "three scores from high to low; the margin is divided by the first less the third",
    ),
    "robust_accuracy": Term(
        "robust accuracy",
        "The share of pictures that a classifier still gets right under attack. A stronger attack "
        "can only lower it, so what is measured is an upper bound.",
        r"\frac{1}{n}\sum_{i=1}^{n} \big[f(x_i + \delta_i) = y_i\big]",
        pictures.robust_accuracy,
        "accuracy falls with ε, slowly for a robust classifier and quickly for a standard one",
    ),
    "wilson": Term(
        "Wilson interval",
        "A share counted on a few pictures is uncertain. In 95 % of such counts the true share "
        "lies in this interval, which is narrower for more pictures.",
        r"\frac{\hat p + \frac{z^2}{2n} \pm z\sqrt{\frac{\hat p(1 - \hat p)}{n} + "
        r"\frac{z^2}{4n^2}}}{1 + \frac{z^2}{n}},\quad z = 1.96",
        pictures.wilson_interval,
        "intervals around one share for 20, 200 and 2,000 pictures, each shorter than the last",
    ),
    "robust_feature": Term(
        "robust feature",
        "A pattern that still points to the right class after any allowed change. A non-robust "
        "feature also predicts the class, but a small change turns it round.",
        r"\mathbb{E}\Big[\inf_{\|\delta\| \le \varepsilon} y \cdot f(x + \delta)\Big] > 0",
        pictures.robust_feature,
        "two features; an attack moves one across zero, the other stays on its side",
    ),
    "transfer": Term(
        "transfer",
        "A picture that was made to fool one classifier fools another one too, which the attack "
        "has never asked.",
        r"f_2(x + \delta_1) \neq y",
        pictures.transfer,
        "a picture made to fool classifier 1 is shown to classifier 2",
    ),
}
