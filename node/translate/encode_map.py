"""Maps as classic 16-bit MR images: what every viewer shows, with units every reader finds.

The scale is given twice, as rescale slope for viewers and as real-world value mapping for readers;
both say the same. Background and pixels without a value are stored as 0.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as ItemSequence
from pydicom.uid import UID
from torch import Tensor

from node.descriptions import SeriesName
from node.settings import ResultsSettings
from node.translate.codes import (
    BLOOD_FLOW,
    DEFORMED,
    FIT_QUALITY,
    ML_MIN_G,
    NO_UNITS,
    PERFUSION_ANALYSIS,
    PRIVATE_SCHEME,
    RATIO,
    CodedTerm,
    code_sequence,
    private_scheme,
    quantity_definition,
)
from node.translate.codes import RESERVE as PERFUSION_RESERVE
from node.translate.derived import (
    add_sources,
    derive_image,
    describe_series,
    result_series_number,
    set_grey_pixels,
)
from node.translate.results import ResultKind, ResultObject, RunStamp
from node.translate.uids import make_uid
from pipeline.types import PatientState

_NOT_OF_A_MAP = (
    "InversionTime",
    "TriggerTime",
    "TemporalPositionIdentifier",
    "NumberOfTemporalPositions",
    "TemporalResolution",
)


_MAX_DESCRIPTION = 1024
"""Letters of a short text (ST, PS3.5 6.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapKind:
    """How one quantity is stored and shown."""

    kind: ResultKind
    label: str
    """Value 5 of the image type and label of the value mapping, at most 16 capital letters."""
    name: SeriesName
    explanation: str
    quantity: CodedTerm
    unit: CodedTerm
    slope: float
    maximum: float
    offset: int
    """What is added to the series number."""
    shown_maximum: float
    """Where the default window ends, in the unit; it begins at 0."""

    @property
    def window(self) -> tuple[float, float]:
        """Centre and width of the default window, in the unit.

        A viewer shows centre - 0.5 -+ (width - 1) / 2 (C.11.2.1.2.1): 3/6 would end at 5, and 0.5/1
        is no range at all. The function LINEAR_EXACT says it better, but a widespread viewer
        library shows no image that names its function (cornerstone3D issue 2844).
        """
        width = self.shown_maximum + 1
        return width / 2, width


FLOW = MapKind(
    kind="flow",
    label="MBF",
    name="flow",
    explanation="Pixel-wise myocardial blood flow; 0 where there is no value.",
    quantity=BLOOD_FLOW,
    unit=ML_MIN_G,
    slope=0.001,
    maximum=65.0,
    offset=2,
    shown_maximum=6.0,
)
QUALITY = MapKind(
    kind="quality",
    label="R2",
    name="quality",
    explanation="Coefficient of determination of the pixel-wise fit; 0 where there is no value.",
    quantity=FIT_QUALITY,
    unit=NO_UNITS,
    slope=0.0001,
    maximum=1.0,
    offset=3,
    shown_maximum=1.0,
)
RESERVE = MapKind(
    kind="reserve",
    label="MPR",
    name="reserve",
    explanation="Pixel-wise myocardial blood flow under stress over that at rest, carried onto it "
    "by place in the wall; 0 where there is no value, as next to a border of the wall.",
    quantity=PERFUSION_RESERVE,
    unit=RATIO,
    slope=0.001,
    maximum=65.0,
    offset=4,
    shown_maximum=5.0,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MapPlace:
    """Where one map belongs."""

    source: Dataset
    """Header of the beat whose geometry the map shows: gives identity, geometry and time."""
    images: tuple[Dataset, ...]
    """The images the map was computed from."""
    series_source: Dataset
    """Header that numbers the series of maps."""
    position: int
    """Slice index."""
    moved: tuple[Dataset, ...] = ()
    """More of them, which were deformed to lie on the others."""
    method: str = ""
    """How the values were found, in sentences."""


def to_stored(
    values: Float[Tensor, "row column"], *, slope: float, maximum: float
) -> NDArray[np.uint16]:
    """Return stored values of a map: value / slope, rounded; 0 where there is no value.

    The largest stored value is never a whole number of units: a widespread viewer library
    (cornerstone3D issue 1925) then takes the map for integers and cuts off the decimals. Such a
    maximum is lowered by one step, and values above `maximum` are stored one step below it.

    Parameters
    ----------
    values
        The map; NaN where there is no value. Shape `(row, column)`.
    slope
        Step of the stored values, in the unit of the map.
    maximum
        Largest value that can be stored, a whole number of units.

    """
    known = np.nan_to_num(np.asarray(values, dtype=np.float64), nan=0.0, posinf=maximum)
    steps = np.rint(known.clip(0.0, maximum) / slope)
    stored = np.clip(steps, 0, min(65535, round(maximum / slope) - 1)).astype(np.uint16)
    peak = int(stored.max())
    if peak > 0 and abs(peak * slope - round(peak * slope)) < slope / 1e3:
        stored[stored == peak] = peak - 1
    return stored


def encode_map(
    values: Float[Tensor, "row column"],
    kind: MapKind,
    place: MapPlace,
    *,
    state: PatientState,
    key: str,
    run: RunStamp,
    settings: ResultsSettings,
) -> ResultObject:
    """Return the map of one slice.

    Parameters
    ----------
    values
        The map; NaN where there is no value. Shape `(row, column)`.
    kind
        What it shows.
    place
        Where it belongs.
    state
        State of the patient; unknown for what comes of both.
    key
        Digest of everything the exam was made from.
    run
        Identity of the computation.
    settings
        Labels and numbering.

    """
    target = derive_image(place.source, run=run, settings=settings)
    for keyword in _NOT_OF_A_MAP:
        target.pop(keyword, None)
    target.ScanOptions = None  # gating belongs to single beats
    target.AcquisitionNumber = None
    target.ImageType = ["DERIVED", "SECONDARY", "OTHER", "PERFUSION", kind.label]
    target.SeriesInstanceUID = make_uid(f"{kind.kind} series", key)
    target.SOPInstanceUID = map_uid(kind, key, place.position)
    target.SeriesNumber = result_series_number(place.series_source, kind.offset, settings=settings)
    target.InstanceNumber = place.position + 1
    target.SeriesDescription = describe_series(kind.name, settings=settings, state=state)
    told = " ".join(part for part in (kind.explanation, place.method) if part)
    room = _MAX_DESCRIPTION - len(run.software_version) - 1
    target.DerivationDescription = f"{told[:room]} {run.software_version}"
    derivations = (PERFUSION_ANALYSIS, DEFORMED) if place.moved else (PERFUSION_ANALYSIS,)
    add_sources(target, place.images, *derivations, preserved=True, moved=place.moved)
    if kind.quantity.scheme == PRIVATE_SCHEME:
        target.CodingSchemeIdentificationSequence = private_scheme()
    set_grey_pixels(target, to_stored(values, slope=kind.slope, maximum=kind.maximum))
    _set_units(target, kind, state)
    return ResultObject(kind=kind.kind, dataset=target)


def map_uid(kind: MapKind, key: str, position: int) -> UID:
    """Return the identifier of the map of a slice of an exam."""
    return make_uid(kind.kind, key, str(position))


def _set_units(target: Dataset, kind: MapKind, state: PatientState) -> None:
    """Say what a stored value means, for viewers (C.11.1) and for readers (C.7.6.16.2.11)."""
    target.RescaleIntercept = "0"
    target.RescaleSlope = f"{kind.slope:g}"
    target.RescaleType = kind.unit.value
    target.WindowCenter, target.WindowWidth = (f"{value:g}" for value in kind.window)
    mapping = Dataset()
    mapping.LUTExplanation = f"{kind.quantity.meaning} [{kind.unit.value}]"
    mapping.LUTLabel = kind.label
    mapping.MeasurementUnitsCodeSequence = code_sequence(kind.unit)
    mapping.add_new("RealWorldValueFirstValueMapped", "US", 0)
    mapping.add_new("RealWorldValueLastValueMapped", "US", 65535)
    mapping.RealWorldValueIntercept = 0.0
    mapping.RealWorldValueSlope = kind.slope
    mapping.QuantityDefinitionSequence = ItemSequence(quantity_definition(kind.quantity, state))
    target.RealWorldValueMappingSequence = ItemSequence([mapping])
