"""Projected gradient descent under a threat model, and what comes out of it."""

from explorer.attacks.pgd import PGD, AttackError, fgsm
from explorer.attacks.result_ import AttackResult, Trace
from explorer.errors import Cancelled

__all__ = ["PGD", "AttackError", "AttackResult", "Cancelled", "Trace", "fgsm"]
