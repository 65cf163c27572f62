"""Every loss of an attack has its words."""

from explorer.attacks.losses import LOSSES
from explorer.figures.loss_words import LOSS_WORDS


def test_every_loss_is_named_once():
    assert list(LOSS_WORDS) == list(LOSSES)
    for field in ("name", "choice", "column"):
        assert len({getattr(words, field) for words in LOSS_WORDS.values()}) == len(LOSSES)
