"""Facts about the slice x beat grid, read from headers with pydicom and cached per instance."""

import warnings
from collections.abc import Collection, Iterable
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
]


class FactReader:
    """Read the facts of instances once each.

    Parameters
    ----------
    data_folder
        Folder that the paths of instances are relative to.

    """

    def __init__(self, data_folder: Path) -> None:
        self._data_folder = data_folder
        self._known: dict[int, dict[int, InstanceFacts | None]] = {}

    def facts(
        self, study_id: int, instances: Iterable[Instance]
    ) -> tuple[InstanceFacts | None, ...]:
        """Return the facts of the accepted instances of a study.

        Parameters
        ----------
        study_id
            The study.
        instances
            Its instances; ignored and conflicting ones are left out.

        Returns
        -------
        One entry per accepted instance; None where the header could not be read.

        """
        known = self._known.setdefault(study_id, {})
        accepted = [item for item in instances if item.status is InstanceStatus.ACCEPTED]
        for instance in accepted:
            if instance.id not in known:
                known[instance.id] = read_facts(self._data_folder / instance.path, instance)
        return tuple(known[instance.id] for instance in accepted)

    def forget_except(self, study_ids: Collection[int]) -> None:
        """Drop what is known of all other studies."""
        for study_id in self._known.keys() - set(study_ids):
            del self._known[study_id]


def read_facts(file: Path, instance: Instance) -> InstanceFacts | None:
    """Read the facts of one instance.

    Parameters
    ----------
    file
        The stored file.
    instance
        Its record.

    Returns
    -------
    The facts, or None when the header is unreadable or has no geometry.

    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # their texts quote header values
            header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=list(_TAGS))
            return _facts(header, instance)
    # Anything may stand in a peer's header, and pydicom converts values late: whatever it
    # raises, the instance proves nothing and the timers decide.
    except Exception:  # noqa: BLE001 - see above
        return None


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
        slice_key=_slice_key(header),
        rows=int(header.Rows),
        columns=int(header.Columns),
        n_frames=_number(header, "NumberOfFrames") or 1,
        echo=_number(header, "EchoNumbers") or 0,
        temporal_position=position,
        declared_beats=declared_beats,
        declared_images=_number(header, "ImagesInAcquisition"),
    )


def _slice_key(header: Dataset) -> SliceKey:
    """Round orientation to 0.001 and position to 0.1 mm, as scanners jitter below that."""
    orientation = tuple(round(float(value), 3) for value in header.ImageOrientationPatient)
    position = tuple(round(float(value), 1) for value in header.ImagePositionPatient)
    return orientation + position


def _number(header: Dataset, keyword: str) -> int | None:
    value = header.get(keyword)
    if value is None or value == "":
        return None
    return int(value)
