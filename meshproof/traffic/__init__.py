"""What is sent, what comes back, and what the wire saw of it."""

from meshproof.traffic.attempt import Attempt, attempt
from meshproof.traffic.detour import Detour, detour
from meshproof.traffic.probe import PATIENT, Answer, Refusal, Target, probe

__all__ = [
    "PATIENT",
    "Answer",
    "Attempt",
    "Detour",
    "Refusal",
    "Target",
    "attempt",
    "detour",
    "probe",
]
