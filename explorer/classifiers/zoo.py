"""torchvision's classifiers, each with its own preprocessing from its weights' metadata."""

from __future__ import annotations

import difflib
import urllib.error
from pathlib import Path
from typing import Any

import torch
from torchvision.models import WeightsEnum, get_model, get_model_weights, list_models

from explorer.classifiers.catalogue import weights_folder
from explorer.classifiers.classifier import Classifier, ClassifierError
from explorer.classifiers.loading import freeze
from explorer.classifiers.weights import put_weights, read_weights

# What the published weights were trained with but the bare constructor does not set. The auxiliary heads are built so that
# the state dict fits; in evaluation mode they are not run.
CONSTRUCTION: dict[str, dict[str, Any]] = {
    "googlenet": {"transform_input": True, "aux_logits": True, "init_weights": False},
    "inception_v3": {"transform_input": True, "aux_logits": True, "init_weights": False},
}


def torchvision_classifier(architecture: str, weights: str | Path | None, device: torch.device) -> Classifier:
    """``architecture`` with the state dict in the file ``weights``, or torchvision's own, fetched once."""
    meta = _published(architecture)
    path = Path(weights) if weights is not None else _fetched(architecture, meta)
    module = get_model(architecture, weights=None, **CONSTRUCTION.get(architecture, {}))
    state = read_weights(path)
    if architecture in CONSTRUCTION and not any(name.startswith(("aux1.", "AuxLogits.")) for name in state):
        module = get_model(architecture, weights=None, **{**CONSTRUCTION[architecture], "aux_logits": False})
    put_weights(module, state, architecture)
    preset = meta.transforms()
    return Classifier(
        freeze(module, device), labels=meta.meta["categories"], input_size=(preset.crop_size[0],) * 2, mean=preset.mean,
        std=preset.std, resize=preset.resize_size[0], name=f"torchvision:{architecture}", title=architecture,
    )  # fmt: skip


def _published(architecture: str) -> WeightsEnum:
    known = list_models(module=__import__("torchvision.models", fromlist=["models"]))
    if architecture not in known:
        near = difflib.get_close_matches(architecture, known, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "see torchvision.models for the names"
        raise ClassifierError(f"torchvision has no classifier {architecture!r}; {hint}")
    return get_model_weights(architecture).DEFAULT


def _fetched(architecture: str, meta: WeightsEnum) -> Path:
    """torchvision's weights in torch's cache, fetched on first use: to a temporary file, checked by hash, then moved."""
    path = weights_folder() / Path(meta.url).name
    if path.is_file():
        return path
    digest = path.stem.rpartition("-")[2]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(meta.url, str(path), hash_prefix=digest, progress=True)
    except (urllib.error.URLError, OSError) as error:
        raise ClassifierError(
            f"the weights of {architecture} are not on this machine and could not be fetched ({error}); put the file "
            f"{path.name} into {path.parent}, or name a local one with --weights"
        ) from None
    except RuntimeError as error:  # torch's word for a wrong hash
        raise ClassifierError(f"the weights of {architecture} arrived damaged ({error}); try again") from None
    return path
