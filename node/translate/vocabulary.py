"""What may be told of free text: the words of the trade, and nothing else.

Series descriptions, protocol names and comments are typed by people: they may hold a name, a
birth date or a number of a patient. A list of what to hide can never be complete, so there is a
list of what may be shown: a text is told only by which words of a list stand in it. Digits alone
are never shown, as a date is made of them, nor are words of the trade that are common names.
"""

import re
from enum import Enum

HIDDEN = "*"
"""Stands for any number of words that are not on the list."""


class Vocabulary(Enum):
    """Lists of words, by what the text is about."""

    PROTOCOL = """
    2c 2ch 2d 3c 3ch 3d 4ch 4c sax lax shax axis ax cor sag tra transversal axial coronal sagittal
    oblique basal mid apical apex slice slices stack position
    perf perfusion perfusie dynamic dyn firstpass first pass contrast bolus gd gado gadovist
    dotarem prohance multihance stress rest resting ruhe repos belastung reposo adeno adenosine
    adenosin regad regadenoson dipy dipyridamole dobut dobutamine hyperemia hyperaemia vasodilator
    pre test prep prescan scout localizer localiser survey baseline native
    aif arterial input lr hr low high res resolution ds dual sequence single tpat ipat grappa
    sense asset partial fourier tfl tfe sr srtfl satrec saturation recovery
    inversion flash fisp truefisp trufi ssfp bssfp bffe btfe sbtfe stfe ffe fgr fgre fgret spgr
    fspgr gre epi tse haste fiesta quick turbo flow quant quantitative qperf kt blast
    t1 t2 t1map t2map map maps mapping molli shmolli sasha cine lge psir delayed enhancement
    magnitude phase real imag imaginary norm normalized dis2d dis3d filtered moco motion corrected
    correction registered mbf mpr mfr r2 tta ttp upslope slope auc parametric colour color original
    derived pd density proton echo echoes te1 te2 interleaved breathing breathhold navigator
    gated ecg triggered trigger cardiac cardio herz coeur myocardium myocardial lv rv mr mri cmr
    """
    TERMS = """
    original derived primary secondary other m p r i ffe t1 t2 norm dis2d dis3d nd fil moco fp mbf
    perfusion stress rest projection image localizer mixed magnitude phase map real imaginary volume
    none resampled quantity axial sat1 sat2 sat3 sat4
    se ir gr ep rm sk mtc ss trss sp mp osp pfp pff per rg cg ppg fc fs rf cine
    2d 3d row col hfs hfp ffs ffp heart chest yes no
    """
    SETTINGS = (
        "spoiled echo planar balanced half alpha ramp yes no to the centre of k space first pulse"
    )
    EQUIPMENT = """
    siemens healthineers philips medical systems ge gems healthcare uih united imaging canon
    toshiba perfnode magnetom aera skyra prisma vida sola lumina avanto verio trio espree altea
    amira cima ingenia achieva ambition elition intera panorama signa premier architect artist
    voyager pioneer hero explorer discovery optima mr450 mr450w mr750 mr750w umr vantage orian
    galan titan elan syngo numaris mr fit virtual scanner
    """

    def __init__(self, words: str) -> None:
        self.words = frozenset(words.split())


_SHAPES = re.compile(
    r"\d{2,3}x\d{2,3}"  # a matrix
    r"|(?:tpat|ipat|pat|grappa|sense|cs|pf|te|tr|fa|ti|dyn|sl)\d{1,2}"  # a setting
    r"|(?:[vx][a-e]|e|dv|rx)\d{2}[a-z]?"  # a version
)
_TOKEN = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_MIN_PART = 3


def known_words(text: str, vocabulary: Vocabulary = Vocabulary.PROTOCOL) -> str:
    """Return the words of a text that are on a list, `*` for what stands between them.

    The result depends on nothing but which words of the list there are, and in which order.
    """
    shown: list[str] = []
    for token in _TOKEN.findall(text):
        for word in _parts(token, vocabulary.words):
            if word != HIDDEN or shown[-1:] != [HIDDEN]:
                shown.append(word)
    return " ".join(shown)


def _parts(token: str, words: frozenset[str]) -> list[str]:
    """Return a token, or the words it is written together from: `StressPerf`."""
    if _is_known(token, words):
        return [token.lower()]
    if not token.isascii():
        return [HIDDEN]
    # Short words would be found in any name.
    return [
        part.lower() if len(part) >= _MIN_PART and _is_known(part, words) else HIDDEN
        for part in _HUMP.findall(token)
    ]


def _is_known(token: str, words: frozenset[str]) -> bool:
    word = token.lower()
    return word in words or _SHAPES.fullmatch(word) is not None
