"""All that is needed to ask a question about features again, as a JSON file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from explorer.classifiers import Classifier
from explorer.experiments.one_image.attack_image import image_digest, versions

FORMAT = 1


@dataclass(frozen=True)
class ModelResult:
    """A classifier that was asked, its input ``image`` [C, H, W], and what came of it."""

    name: str
    weights_digest: str
    device: str
    image: Tensor
    results: tuple[Tensor, ...]


def model_result(
    name: str, classifier: Classifier, image: Tensor, results: Iterable[Tensor]
) -> ModelResult:
    """The same of a loaded classifier."""
    return ModelResult(name, classifier.digest, str(classifier.device), image, tuple(results))


def recipe_json(
    question: str,
    command: str,
    image: str,
    settings: Mapping[str, Any],
    models: Iterable[ModelResult],
    precision: str = "float32",
) -> str:
    """The recipe of a ``question`` about the picture ``image``, as a JSON object.

    ``command`` asks the same again; ``image`` is a path or ``gallery:KEY``. Pixels, weights and
    results stand in it as SHA-256. ``precision`` is that of the gradients.
    """
    values = {
        "format": FORMAT,
        "question": question,
        "command": command,
        "image": image,
        "settings": dict(settings),
        "models": [
            {
                "name": model.name,
                "weights_digest": model.weights_digest,
                "image_digest": image_digest(model.image),
                "result_digest": tensors_digest(model.results),
                "device": model.device,
            }
            for model in models
        ],
        "precision": precision,
        "threads": torch.get_num_threads(),
        "versions": versions(),
    }
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def tensors_digest(tensors: Iterable[Tensor]) -> str:
    """SHA-256 of the values of ``tensors`` as float32, one after the other."""
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.detach().cpu().float().contiguous().numpy().tobytes())
    return digest.hexdigest()
