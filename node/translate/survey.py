"""What headers look like at a site, for protocols that are not known yet; names nobody.

Nothing is taken over because it looks harmless. Of a public element it is told that it is there;
only for elements on a white list something of the value: numbers as they are, text by the words of
a list, moments as steps between images. Private elements are told in `survey_private`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.uid import UID

from node.errors import NotDicomError
from node.translate.clock_evidence import ClockEvidence, look_at_clocks
from node.translate.headers import FrameHeader, read_headers
from node.translate.series_account import split_series, transfer_syntax_of
from node.translate.stacks import gather_stacks
from node.translate.survey_private import PrivateSummary, summarise_private
from node.translate.survey_values import NumberSummary, numbers_in, standard_codes, texts_in
from node.translate.vendors import vendor_of

_KNOWN_UID = re.compile(r"1\.2\.840\.10008\.[0-9.]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesSurvey:
    """The headers of one series."""

    vendor: str
    sop_class: str
    transfer_syntax: str
    n_files: int
    n_images: int
    images_per_place: tuple[int, ...]
    texts: dict[str, tuple[str, ...]]
    """Words of a list, by keyword."""
    numbers: dict[str, NumberSummary]
    codes: tuple[str, ...]
    """Of public coding schemes."""
    clocks: tuple[ClockEvidence, ...]
    """At the place with most images."""
    present: tuple[str, ...]
    """Keywords of all public elements."""
    private: tuple[PrivateSummary, ...]


def survey_study(files: Sequence[Path]) -> tuple[SeriesSurvey, ...]:
    """Return what the headers of a study look like, series by series.

    Parameters
    ----------
    files
        Files of one study; what is not DICOM is left out.

    Raises
    ------
    TransientError
        A file cannot be opened or read.

    """
    headers: dict[str, FrameHeader] = {}
    for path in sorted(set(files)):
        try:
            headers |= {header.key: header for header in read_headers(path)}
        except NotDicomError:
            continue
    return tuple(_survey(members) for members in split_series(headers.values()))


def _survey(frames: tuple[FrameHeader, ...]) -> SeriesSurvey:
    first = frames[0]
    datasets = [frame.dataset for frame in frames]
    paths = sorted({frame.path for frame in frames})
    stacks = gather_stacks(frames)
    vendor = vendor_of(first.dataset)
    most = max(stacks, key=lambda stack: len(stack.frames), default=None)
    return SeriesSurvey(
        vendor="unknown" if vendor is None else vendor.name,
        sop_class=_name_of(first.sop_class_uid),
        transfer_syntax=_name_of(transfer_syntax_of(first)),
        n_files=len(paths),
        n_images=len(frames),
        images_per_place=tuple(len(stack.frames) for stack in stacks),
        texts=texts_in(datasets),
        numbers=numbers_in(datasets),
        codes=standard_codes(first.dataset),
        clocks=() if most is None else look_at_clocks(most.frames),
        present=_keywords(datasets),
        private=summarise_private(paths),
    )


def _name_of(uid: str) -> str:
    """Return the name of a class or syntax of the standard; another one may be anything."""
    return UID(uid).name if _KNOWN_UID.fullmatch(uid) else "private or unknown"


def _keywords(datasets: Iterable[Dataset]) -> tuple[str, ...]:
    tags = {tag for dataset in datasets for tag in dataset.keys()}  # noqa: SIM118 - tags, not elements
    return tuple(sorted(filter(None, map(keyword_for_tag, tags))))
