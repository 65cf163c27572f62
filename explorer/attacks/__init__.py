"""Projected gradient descent under a threat model, and what comes out of it."""

from explorer.attacks.error import AttackError
from explorer.attacks.loop import OnImage, OnStep
from explorer.attacks.pgd import PGD
from explorer.attacks.settings import AttackSettings
from explorer.attacks.thorough import Thorough
from explorer.attacks.threat import Threat
from explorer.attacks.trace import AttackResult, Trace

__all__ = [
    "PGD",
    "AttackError",
    "AttackResult",
    "AttackSettings",
    "OnImage",
    "OnStep",
    "Thorough",
    "Threat",
    "Trace",
]
