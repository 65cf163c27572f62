"""``attack`` and ``rerun``: one image, attacked, with everything a page would show written to a folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from explorer.attacks.pgd import PRECISIONS
from explorer.classifiers import Classifier, load
from explorer.cli.common import UsageError, number, print_json, writable_folder, write_files
from explorer.experiments.one_image.attack_image import attack_from, attack_image, image_digest
from explorer.experiments.one_image.recipe import Recipe, RecipeError, format_epsilon, parse_crop
from explorer.experiments.one_image.report import AttackReport
from explorer.figures.export import adversarial_npy, adversarial_png, figure_bytes, trace_csv
from explorer.figures.print_triptych import triptych
from explorer.images.decode import Decoded
from explorer.images.geometry import CENTRE, Crop, view
from explorer.images.open import GALLERY_PREFIX, open_source


def add_attack(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("attack", help="attack one image and write the result to a folder")
    parser.add_argument("image", help=f"a picture's path, or {GALLERY_PREFIX}KEY")
    parser.add_argument(
        "--model",
        required=True,
        help="a catalogue name, torchvision:ARCHITECTURE or FILE.py:FUNCTION",
    )
    parser.add_argument("--weights", help="a local .safetensors or .pth state dict")
    parser.add_argument(
        "--norm",
        choices=("linf", "l2"),
        default="linf",
        help="the norm that bounds the perturbation",
    )
    parser.add_argument(
        "--epsilon", type=number, required=True, help="its radius in pixels of [0, 1]: 4/255 or 0.5"
    )
    parser.add_argument("--steps", type=int, default=40, help="PGD steps (default 40)")
    parser.add_argument(
        "--step-size", type=number, help="constant step size (default 2.5 ε/t in step t, at most ε)"
    )
    parser.add_argument(
        "--fgsm", action="store_true", help="one full step from the image itself, in place of PGD"
    )
    parser.add_argument(
        "--restarts", type=int, default=1, help="random starts run side by side (default 1)"
    )
    parser.add_argument("--no-random-start", action="store_true", help="begin at the image itself")
    parser.add_argument(
        "--loss",
        choices=("ce", "cw", "dlr"),
        default="ce",
        help="what the attack raises (default ce)",
    )
    parser.add_argument(
        "--keep",
        choices=("best", "last"),
        default="best",
        help="which point is returned (default best)",
    )
    parser.add_argument(
        "--label", help="the true class, by name or index (default: what the model says)"
    )
    parser.add_argument(
        "--target", help="the class to reach, by name or index (default: any wrong one)"
    )
    parser.add_argument(
        "--crop",
        type=_crop,
        default=CENTRE,
        help="the part that is attacked: X,Y[,ZOOM], X and Y from 0 to 1",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="auto",
        help="of the climb (default: the quicker here)",
    )
    _add_output(parser)
    parser.set_defaults(run=run_attack)


def add_rerun(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("rerun", help="do a recipe again and say whether anything differs")
    parser.add_argument("recipe", help="a recipe.json written by the explorer")
    parser.add_argument(
        "--image", help="the picture, when it is no longer where the recipe says (an upload, say)"
    )
    parser.add_argument(
        "--weights", help="the weights, when they are no longer where the recipe says"
    )
    _add_output(parser)
    parser.set_defaults(run=run_rerun)


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--out", required=True, help="the folder to write to")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _crop(text: str) -> Crop:
    try:
        return parse_crop(text)
    except RecipeError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run_attack(options: argparse.Namespace) -> int:
    out = writable_folder(options.out)
    recipe = Recipe(
        image=options.image,
        model=options.model,
        weights=options.weights,
        norm=options.norm,
        epsilon=options.epsilon,
        steps=options.steps,
        step_size=options.step_size,
        restarts=options.restarts,
        loss=options.loss,
        random_start=not options.no_random_start,
        keep=options.keep,
        seed=options.seed,
        precision=options.precision,
        crop=options.crop,
    )
    if options.fgsm:
        recipe = recipe.fgsm()
    attack_from(recipe)  # a mistake in the numbers is said before anything is loaded
    picture = open_source(options.image)
    classifier = load(options.model, options.weights, options.device)
    recipe = recipe.with_classes(
        None if options.label is None else classifier.find_label(options.label),
        None if options.target is None else classifier.find_label(options.target),
    )
    report = _run(classifier, picture, recipe)
    _deliver(report, classifier, out, options.json)
    return 0


def run_rerun(options: argparse.Namespace) -> int:
    path = Path(options.recipe)
    try:
        recipe = Recipe.from_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"can't read {path}: {error}") from None
    out = writable_folder(options.out)
    attack_from(recipe)
    picture = open_source(options.image or recipe.image)
    classifier = load(recipe.model, options.weights or recipe.weights, options.device)
    for index in (recipe.label, recipe.target):
        if index is not None and not 0 <= index < len(classifier.labels):
            raise RecipeError(
                f"the recipe names class {index}; {classifier.name} has {len(classifier.labels)}"
            )
    report = _run(classifier, picture, recipe)
    differences = recipe.differences(report.recipe)
    _deliver(report, classifier, out, options.json, {"differences": differences})
    for difference in differences:
        print(f"differs: {difference}", file=sys.stderr)
    if not differences:
        print("the same again: image, weights and result are identical", file=sys.stderr)
    return 1 if differences else 0


def _run(classifier: Classifier, picture: Decoded, recipe: Recipe) -> AttackReport:
    for note in picture.notes:
        print(f"note: {note}", file=sys.stderr)
    image = view(picture.image, classifier, recipe.crop)
    if recipe.image_digest and image_digest(image) != recipe.image_digest:
        print("note: this is not the picture of the recipe", file=sys.stderr)
    with tqdm(total=recipe.steps, unit="step", file=sys.stderr, disable=None, leave=False) as bar:
        return attack_image(
            classifier, image, recipe, on_step=lambda done, steps, loss: bar.update()
        )


def _deliver(
    report: AttackReport,
    classifier: Classifier,
    out: Path,
    as_json: bool,
    more: dict[str, object] | None = None,
) -> None:
    figure = triptych(report, classifier.title)
    write_files(
        out,
        {
            "adversarial.png": adversarial_png(report),
            "adversarial.npy": adversarial_npy(report),
            "triptych.png": figure_bytes(figure, "png"),
            "triptych.pdf": figure_bytes(figure, "pdf"),
            "triptych.svg": figure_bytes(figure, "svg"),
            "trace.csv": trace_csv(report).encode(),
            "recipe.json": (report.recipe.to_json() + "\n").encode(),
        },
    )
    if as_json:
        print_json(_summary(report) | (more or {}))
    else:
        print(_sentences(report, out))


def _summary(report: AttackReport) -> dict[str, object]:
    return {
        "label": {
            "name": report.names[report.label],
            "confidence": float(report.before.probabilities[report.label]),
        },
        "adversarial": {"name": report.after.name, "confidence": report.after.confidence},
        "success": report.success,
        "outcome": report.outcome,
        "survives_8bit": report.survives_8bit,
        "linf": report.linf,
        "l2": report.l2,
        "ssim": report.ssim,
        "seconds": report.seconds,
    }


def _sentences(report: AttackReport, out: Path) -> str:
    recipe = report.recipe
    return "\n".join(
        [
            f"original     {report.before.name}  {report.before.confidence:.1%}",
            f"adversarial  {report.after.name}  {report.after.confidence:.1%}",
            f"outcome      {report.outcome}"
            + (f" (target: {report.names[report.target]})" if report.target is not None else ""),
            f"8 bits       {'still fools' if report.survives_8bit else 'does not fool'} after rounding",
            f"distance     L∞ {format_epsilon(report.linf, 'linf')}, L2 {report.l2:.3f}, SSIM {report.ssim:.4f}"
            f"  (allowed: {recipe.norm} {format_epsilon(recipe.epsilon, recipe.norm)})",
            f"written to   {out}",
        ]
    )
