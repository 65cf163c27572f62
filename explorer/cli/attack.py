"""``attack``: attack one image and write to a folder everything that the page would show."""

from __future__ import annotations

import argparse

from explorer.attacks.losses import LOSSES
from explorer.attacks.settings import PLAIN, RULES
from explorer.classifiers import Classifier, load
from explorer.cli import whole_numbers
from explorer.cli.animation import (
    add_animation_options,
    animations,
    check_animation,
    needs_frames,
)
from explorer.cli.common import (
    UsageError,
    add_model_options,
    add_precision_option,
    draws_starts,
    number,
    writable_folder,
)
from explorer.cli.given import note_void, refuse_void
from explorer.cli.one_image import add_output_options, print_result, run_recipe, write_result
from explorer.cli.trust import second_opinion_values, trust_values
from explorer.experiments.effort import (
    EFFORTS,
    QUICK,
    QUICK_STEPS,
    STEPS_OF,
    THOROUGH,
    THOROUGH_STEPS,
)
from explorer.experiments.effort import RULE as EFFORT_RULE
from explorer.experiments.one_image.attack_image import attack_from
from explorer.experiments.one_image.recipe import Recipe, RecipeError, parse_crop
from explorer.images.geometry import CENTRE, Crop
from explorer.images.open import GALLERY_PREFIX, open_image

STEPS = 40


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", help=f"a picture's path, or {GALLERY_PREFIX}KEY")
    add_model_options(parser)
    add_settings(parser)
    add_animation_options(parser)
    parser.add_argument(
        "--second-opinion",
        action="store_true",
        help="also ask APGD and Square of pyautoattack, on the same image and ε",
    )
    add_output_options(parser)
    parser.set_defaults(run=run)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the options of an attack, which :func:`recipe_of` reads."""
    add = parser.add_argument
    add("--norm", choices=("linf", "l2"), default="linf", help="of the change (default linf)")
    add(
        "--epsilon",
        type=number,
        required=True,
        help="the largest norm of the change; pixels are from 0 to 1, so 4/255 is 4 of 255 levels",
    )
    add(
        "--steps",
        type=whole_numbers.steps,
        help=f"PGD steps ({STEPS} with --rule or --step-size alone)",
    )
    add(
        "--effort",
        choices=EFFORTS,
        help=f"quick, the default: {QUICK_STEPS} steps with momentum; or thorough: "
        f"{THOROUGH_STEPS} of them, or those of --steps and --rule, and then other objectives "
        "and starts where PGD fails",
    )
    add(
        "--rule",
        choices=RULES,
        help="of the steps: plain (the default of --steps), or momentum, which is stronger after "
        "few steps",
    )
    add(
        "--step-size",
        type=number,
        help="constant, in the unit of --epsilon (default 2.5 ε/t in step t, at most ε, or 2 ε "
        "with --rule momentum)",
    )
    add("--fgsm", action="store_true", help="one full step from the image itself, in place of PGD")
    add(
        "--restarts",
        type=whole_numbers.restarts,
        default=1,
        help="random starts, attacked together (default 1)",
    )
    add("--no-random-start", action="store_true", help="begin at the image itself")
    add(
        "--loss",
        choices=tuple(LOSSES),
        default="ce",
        help="the loss that the attack maximises (default ce)",
    )
    add(
        "--keep", choices=("best", "last"), default="best", help="the point returned (default best)"
    )
    add("--label", help="the true class, by name or index (default: the model's prediction)")
    add("--target", help="the class to reach, by name or index (default: any wrong one)")
    add(
        "--crop",
        type=_crop,
        default=CENTRE,
        help="the part that is attacked: X,Y[,ZOOM], X and Y from 0 to 1",
    )
    add("--seed", type=whole_numbers.seed, default=0, help="of the random starts (default 0)")
    add_precision_option(parser)


def _crop(text: str) -> Crop:
    try:
        return parse_crop(text)
    except RecipeError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run(options: argparse.Namespace) -> int:
    out = writable_folder(options.out)
    recipe = recipe_of(options, options.model, options.weights)
    if not draws_starts(attack_from(recipe), recipe.effort):
        note_void(options, ("--seed",), "this attack begins at the image itself")
    picture = open_image(options.image)
    classifier = load(options.model, options.weights, options.device)
    recipe = with_named_classes(recipe, options, classifier)
    check_animation(options, classifier, recipe)
    report = run_recipe(classifier, picture, recipe, frames=needs_frames(options))
    write_result(report, classifier, out, animations(options, classifier, report))
    trust = trust_values(classifier, report)
    opinion: dict[str, object] = {}
    if options.second_opinion:
        opinion = second_opinion_values(classifier, report)
    print_result(report, out, options.json, **trust, **opinion)
    return 0


def recipe_of(options: argparse.Namespace, model: str, weights: str | None = None) -> Recipe:
    """The recipe that the options describe, still without label and target.

    Raises a :class:`~explorer.errors.UserError` for settings out of range.
    """
    if options.step_size is not None and not options.step_size > 0:
        raise UsageError(f"--step-size must be above 0; it is {options.step_size:g}")
    recipe = Recipe(
        image=options.image,
        model=model,
        weights=weights,
        norm=options.norm,
        epsilon=options.epsilon,
        steps=_steps(options),
        step_size=options.step_size,
        restarts=options.restarts,
        loss=options.loss,
        random_start=not options.no_random_start,
        keep=options.keep,
        rule=_rule(options),
        effort=THOROUGH if options.effort == THOROUGH else "",
        seed=options.seed,
        precision=options.precision,
        crop=options.crop,
    )
    if options.fgsm:
        recipe = recipe.fgsm()
        _check_fgsm(options, recipe)
    attack_from(recipe)  # refuses wrong settings before anything is loaded
    return recipe


def _check_fgsm(options: argparse.Namespace, recipe: Recipe) -> None:
    """Raise :class:`UsageError` for options that ask for anything else than FGSM's ``recipe``."""
    others = [
        name
        for name in ("steps", "step_size", "restarts", "rule", "effort", "keep", "precision")
        if getattr(options, name) not in (getattr(recipe, name), "auto")  # which asks for nothing
    ]
    refuse_void(
        options,
        [f"--{name.replace('_', '-')}" for name in others],
        "FGSM is one full step from the image itself, in float32",
    )


def _rule(options: argparse.Namespace) -> str:
    if options.rule is not None:
        return str(options.rule)
    return PLAIN if _effort(options) is None else EFFORT_RULE


def _effort(options: argparse.Namespace) -> str | None:
    """The effort; without one and without steps of any kind it is quick."""
    if options.effort is not None:
        return str(options.effort)
    settings = (options.steps, options.rule, options.step_size)
    return QUICK if settings == (None, None, None) and not options.fgsm else None


def _steps(options: argparse.Namespace) -> int:
    if options.fgsm:
        return 1
    if options.effort == QUICK and (options.steps, options.rule) != (None, None):
        raise UsageError("--effort quick has its own steps and rule; leave them out, or --effort")
    if options.steps is not None:
        return int(options.steps)
    effort = _effort(options)
    return STEPS if effort is None else STEPS_OF[effort]


def with_named_classes(
    recipe: Recipe, options: argparse.Namespace, classifier: Classifier
) -> Recipe:
    """``recipe`` with the classes of ``classifier`` that ``--label`` and ``--target`` name."""
    label, target = (
        None if text is None else classifier.find_label(text)
        for text in (options.label, options.target)
    )
    return recipe.with_classes(label, target)
