"""A phantom exam becomes files."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage

from models.phantom import PhantomExam, PhantomSeries
from node.ports import Progress
from node.scanner.patient import VirtualPatient
from node.scanner.plane import localizer_planes, short_axis_plane
from node.scanner.session import Session, dicom_date, dicom_time
from node.scanner.siemens import SeriesHeader, add_pixels, add_plane, image_header
from node.version import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

_LOCALIZER_MATRIX = (64, 64)
_LOCALIZER_SPACING_MM = (6.0, 6.0)


def write_exam(
    exam: PhantomExam,
    folder: Path,
    *,
    patient: VirtualPatient | None = None,
    started: datetime | None = None,
    declares_beats: bool = False,
    with_localizer: bool = False,
    progress: Progress | None = None,
) -> list[Path]:
    """Write the series of one state; equal arguments write equal bytes.

    Parameters
    ----------
    exam
        The phantom exam.
    folder
        Where the files go; it is made if it does not exist.
    patient
        Whose exam it is; follows from the seed when None. Exams of one patient form one study.
    started
        Start of the visit, local time. Stress follows after 20 minutes, rest after 35.
    declares_beats
        Write the number of temporal positions, which this vendor leaves out.
    with_localizer
        Also write a series of three scout images.
    progress
        Told the stage and the fraction done.

    Returns
    -------
    list[Path]
        The files in the order a scanner sends them.

    """
    who = VirtualPatient.from_seed(exam.seed) if patient is None else patient
    session = Session.of(who, started)
    folder.mkdir(parents=True, exist_ok=True)
    headers = [
        *(_localizer_images(session) if with_localizer else ()),
        *_bolus_images(exam, session, declares_beats=declares_beats),
    ]
    paths = []
    for position, header in enumerate(headers):
        if progress is not None:
            progress("writing images", position / len(headers))
        path = folder / f"{int(header.SeriesNumber):03d}_{int(header.InstanceNumber):04d}.dcm"
        _save(header, path)
        paths.append(path)
    return paths


def _bolus_images(
    exam: PhantomExam, session: Session, *, declares_beats: bool
) -> Iterator[Dataset]:
    """Yield the arterial-input series, then the perfusion series beat by beat.

    Echoes of one beat follow one another in one series.
    """
    name = f"{exam.state}_perf_tfl_sr_sax"
    number = session.series_number(exam.state)
    second = exam.arterial_input_second_echo
    echoes = (exam.arterial_input,) if second is None else (exam.arterial_input, second)
    series = [
        (f"{name}_AIF", number, echoes),
        (name, number + 1, exam.slices),
    ]
    for description, series_number, slices in series:
        header = SeriesHeader(
            session=session,
            state=exam.state,
            description=description,
            number=series_number,
            started=session.bolus_started(exam.state),
            field_strength_t=exam.field_strength_t,
            agent=exam.agent,
            dose_fraction=exam.dose_fraction,
            n_beats=slices[0].frames.shape[0],
            declares_beats=declares_beats,
        )
        yield from _series_images(header, slices, exam)


def _series_images(
    series: SeriesHeader, slices: Sequence[PhantomSeries], exam: PhantomExam
) -> Iterator[Dataset]:
    planes = [
        short_axis_plane(
            (item.frames.shape[1], item.frames.shape[2]), item.spacing_mm, item.offset_mm
        )
        for item in slices
    ]
    last_beat = exam.rr_interval_s.shape[0] - 1
    for beat in range(series.n_beats):
        for index, (item, plane) in enumerate(zip(slices, planes, strict=True)):
            image = image_header(
                series,
                item,
                plane,
                beat=beat,
                instance=beat * len(slices) + index + 1,
                interval_s=float(exam.rr_interval_s[min(beat, last_beat)]),
            )
            add_pixels(image, np.asarray(item.frames[beat], dtype=np.float32))
            yield image


def _localizer_images(session: Session) -> Iterator[Dataset]:
    """Yield three scouts of an empty water bottle: series that the node must pass over."""
    rows, columns = np.indices(_LOCALIZER_MATRIX)
    bottle = np.hypot(rows - 31.5, columns - 31.5) < 22
    planes = localizer_planes(_LOCALIZER_MATRIX, _LOCALIZER_SPACING_MM)
    for index, plane in enumerate(planes):
        image = session.header()
        image.SOPClassUID = MRImageStorage
        image.SOPInstanceUID = session.uid("localizer", str(index))
        image.SeriesInstanceUID = session.uid("localizer")
        image.SeriesNumber, image.InstanceNumber, image.AcquisitionNumber = 1, index + 1, 1
        image.SeriesDescription = image.ProtocolName = "localizer"
        image.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
        image.ScanningSequence, image.SequenceVariant = "GR", "SP"
        image.ScanOptions, image.MRAcquisitionType = None, "2D"
        image.RepetitionTime, image.EchoTime, image.EchoTrainLength = "5", "2", "1"
        image.SeriesTime = image.AcquisitionTime = image.ContentTime = dicom_time(session.started)
        image.AcquisitionDate = image.ContentDate = dicom_date(session.started)
        add_plane(image, plane, _LOCALIZER_SPACING_MM, 8.0)
        add_pixels(image, np.where(bottle, 900, 20).astype(np.float32))
        yield image


def _save(header: Dataset, path: Path) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = header.SOPClassUID
    meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    header.file_meta = meta
    header.save_as(path, enforce_file_format=True)
