"""Facts about the slice x beat grid, read from headers with pydicom and cached per instance.

A multi-frame object is a grid of its own: its functional groups place every frame, and the number
of its frames is what it declares. One of several parts of a divided object declares nothing.
"""

import warnings
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset

from node.work.completeness import InstanceFacts, SliceKey
from storage.records import Instance, InstanceStatus

_TAGS = [
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "EchoNumbers",
    "TemporalPositionIdentifier",
    "NumberOfTemporalPositions",
    "ImagesInAcquisition",
    "CardiacNumberOfImages",
    "AcquisitionNumber",
    "ConcatenationUID",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
]
_Facts = tuple[InstanceFacts | None, ...]


class FactReader:
    """Read the facts of instances once each.

    Parameters
    ----------
    data_folder
        Folder that the paths of instances are relative to.

    """

    def __init__(self, data_folder: Path) -> None:
        self._data_folder = data_folder
        self._known: dict[int, dict[int, _Facts]] = {}

    def facts(self, study_id: int, instances: Iterable[Instance]) -> _Facts:
        """Return the facts of the accepted instances of a study.

        Parameters
        ----------
        study_id
            The study.
        instances
            Its instances; ignored and conflicting ones are left out.

        Returns
        -------
        One entry per image; None for an instance whose header could not be read.

        """
        known = self._known.setdefault(study_id, {})
        accepted = [item for item in instances if item.status is InstanceStatus.ACCEPTED]
        for instance in accepted:
            if instance.id not in known:
                known[instance.id] = read_facts(self._data_folder / instance.path, instance)
        return tuple(fact for instance in accepted for fact in known[instance.id])

    def forget_except(self, study_ids: Collection[int]) -> None:
        """Drop what is known of all other studies."""
        for study_id in self._known.keys() - set(study_ids):
            del self._known[study_id]


def read_facts(file: Path, instance: Instance) -> _Facts:
    """Read the facts of one instance.

    Parameters
    ----------
    file
        The stored file.
    instance
        Its record.

    Returns
    -------
    One entry per image, or a single None when the header is unreadable or has no geometry.

    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # their texts quote header values
            header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=list(_TAGS))
            if "PerFrameFunctionalGroupsSequence" in header:
                return _facts_of_frames(header, instance)
            return (_facts(header, instance),)
    # Anything may stand in a peer's header, and pydicom converts values late: whatever it
    # raises, the instance proves nothing and the timers decide.
    except Exception:  # noqa: BLE001 - see above
        return (None,)


def _facts(header: Dataset, instance: Instance) -> InstanceFacts:
    declared_beats = _number(header, "NumberOfTemporalPositions")
    if declared_beats is None:
        declared_beats = _number(header, "CardiacNumberOfImages")
    position = _number(header, "TemporalPositionIdentifier")
    if position is None:
        position = _number(header, "AcquisitionNumber")
    return InstanceFacts(
        instance_id=instance.id,
        series_uid=instance.series_uid,
        slice_key=_slice_key(header.ImageOrientationPatient, header.ImagePositionPatient),
        rows=int(header.Rows),
        columns=int(header.Columns),
        frame=0,
        echo=_number(header, "EchoNumbers") or 0,
        temporal_position=position,
        declared_beats=declared_beats,
        declared_images=_number(header, "ImagesInAcquisition"),
    )


def _facts_of_frames(header: Dataset, instance: Instance) -> _Facts:
    """Return the facts of every frame; that there are as many as declared is part of the proof."""
    shared = header.get("SharedFunctionalGroupsSequence") or [Dataset()]
    frames = header.PerFrameFunctionalGroupsSequence
    n_frames = _number(header, "NumberOfFrames") or 1
    is_whole = n_frames == len(frames) > 1 and "ConcatenationUID" not in header
    return tuple(
        InstanceFacts(
            instance_id=instance.id,
            series_uid=instance.series_uid,
            slice_key=_slice_key(
                _group(frame, shared[0], "PlaneOrientationSequence").ImageOrientationPatient,
                _group(frame, shared[0], "PlanePositionSequence").ImagePositionPatient,
            ),
            rows=int(header.Rows),
            columns=int(header.Columns),
            frame=number if n_frames > 1 else 0,
            echo=_echo(_group(frame, shared[0], "MREchoSequence")),
            # Some makers give every frame the same number (Canon), so frames are counted.
            temporal_position=number if n_frames > 1 else None,
            declared_beats=None,
            declared_images=n_frames if is_whole else None,
        )
        for number, frame in enumerate(frames, start=1)
    )


def _group(frame: Dataset, shared: Dataset, keyword: str) -> Dataset:
    """Return a functional group of a frame, or of all frames; empty where there is none."""
    items: Sequence[Dataset] = frame.get(keyword) or shared.get(keyword) or [Dataset()]
    return items[0]


def _echo(group: Dataset) -> int:
    """Tell echoes apart by their time, in hundredths of a millisecond."""
    return round(100 * float(group.get("EffectiveEchoTime") or 0))


def _slice_key(orientation: Sequence[float], position: Sequence[float]) -> SliceKey:
    """Round orientation to 0.001 and position to 0.1 mm, as scanners jitter below that."""
    directions = tuple(round(float(value), 3) for value in orientation)
    return directions + tuple(round(float(value), 1) for value in position)


def _number(header: Dataset, keyword: str) -> int | None:
    value = header.get(keyword)
    if value is None or value == "":
        return None
    return int(value)
