"""The doctor: what a lab needs of this machine, what is missing, and how to mend it.

Reading the machine (``gather``), judging what was read (``rules``, pure) and mending (``mend``)
are three things; ``examine`` joins the first two.
"""

from meshproof.doctor.examine import examine
from meshproof.doctor.findings import Finding, Fix, Level
from meshproof.doctor.mend import mend

__all__ = ["Finding", "Fix", "Level", "examine", "mend"]
