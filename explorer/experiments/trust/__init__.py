"""Whether the figure of an attack can be trusted: what to look for, and what was seen.

:class:`TrustCheck` collects evidence while a figure is computed and gives its caveats;
:func:`warnings_json` is what a command prints of them.
"""

from explorer.experiments.trust.caveat import Caveat, Reference, warnings_json
from explorer.experiments.trust.check import TrustCheck, check_attack, check_sample
from explorer.experiments.trust.evidence import Evidence
from explorer.experiments.trust.judgement import RISING, caveats_of, gradient_free_caveat
from explorer.experiments.trust.one_image import (
    check_report,
    evidence_at_once,
    is_faint,
    report_evidence,
)

__all__ = [
    "RISING",
    "Caveat",
    "Evidence",
    "Reference",
    "TrustCheck",
    "caveats_of",
    "check_attack",
    "check_report",
    "check_sample",
    "evidence_at_once",
    "gradient_free_caveat",
    "is_faint",
    "report_evidence",
    "warnings_json",
]
