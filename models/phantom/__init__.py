"""The digital reference exam: a virtual patient with known motion, flow and blood curves.

`make_exam` draws a patient from a seed (anatomy, heart, rhythm, bolus, flow, breathing), scans
three short-axis slices and an arterial-input series, and keeps the truth of each. One file per
concern; every concern has its own stream of random numbers, so one can grow without changing
what another draws. `Variety.WIDE` draws each concern from a range that a network or a gate can be
trained and judged on; the files named `..._variety` hold those ranges.
"""

from models.phantom.asked_tissue import AskedTissue
from models.phantom.exam import PhantomExam, make_exam
from models.phantom.protocol import Breathing, PhantomState, Protocol
from models.phantom.randomised import random_protocol
from models.phantom.series import PhantomSeries
from models.phantom.tissue_models import TissueModel
from models.phantom.truth import ExamTruth, SeriesTruth
from models.phantom.variety import Variety

__all__ = [
    "AskedTissue",
    "Breathing",
    "ExamTruth",
    "PhantomExam",
    "PhantomSeries",
    "PhantomState",
    "Protocol",
    "SeriesTruth",
    "TissueModel",
    "Variety",
    "make_exam",
    "random_protocol",
]
