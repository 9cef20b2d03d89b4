"""A phantom exam becomes files."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from pydicom.dataset import Dataset

from models.phantom import PhantomExam
from node.ports import Progress
from node.scanner.dialect import Dialect, Form
from node.scanner.encode import save
from node.scanner.enhanced import Frame, make_enhanced
from node.scanner.header import image_header
from node.scanner.localizer import localizer_images
from node.scanner.patient import VirtualPatient
from node.scanner.plan import plan_series
from node.scanner.scanned import ScannedImage
from node.scanner.session import Session
from node.scanner.vendors import MANNERS, Manners


def write_exam(
    exam: PhantomExam,
    folder: Path,
    *,
    patient: VirtualPatient | None = None,
    started: datetime | None = None,
    declares_beats: bool = False,
    with_localizer: bool = False,
    progress: Progress | None = None,
    dialect: Dialect | None = None,
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
        Write the number of temporal positions also where the vendor leaves it out.
    with_localizer
        Also write a series of three scout images.
    progress
        Told the stage and the fraction done.
    dialect
        Vendor, kind of object, transfer syntax and order; classic Siemens images when None.

    Returns
    -------
    list[Path]
        The files in the order a scanner sends them.

    """
    who = VirtualPatient.from_seed(exam.seed) if patient is None else patient
    spoken = Dialect() if dialect is None else dialect
    session, manners = Session.of(who, started), MANNERS[spoken.vendor]
    folder.mkdir(parents=True, exist_ok=True)
    objects = [*(localizer_images(session, manners.equipment) if with_localizer else ())]
    for images in plan_series(exam, session, spoken, declares_beats=declares_beats):
        objects += _objects(images, spoken, manners)
    if spoken.is_shuffled:
        random.Random(exam.seed).shuffle(objects)
    paths = []
    for position, item in enumerate(objects):
        if progress is not None:
            progress("writing images", position / len(objects))
        paths.append(folder / _name(item, position, spoken))
        save(item, paths[-1], spoken.syntax)
    return paths


def _name(item: Dataset, position: int, dialect: Dialect) -> str:
    """Name a file by series and instance; by arrival where the order says nothing."""
    if dialect.is_shuffled:
        return f"{position:05d}.dcm"
    return f"{int(item.SeriesNumber):03d}_{int(item.InstanceNumber):04d}.dcm"


def _objects(
    images: Sequence[ScannedImage], dialect: Dialect, manners: Manners
) -> Iterator[Dataset]:
    """Yield the objects of one series."""
    frames = list(_frames(images, dialect.form, manners))
    if dialect.is_shuffled:
        random.Random(len(frames)).shuffle(frames)
    if dialect.form is Form.CLASSIC:
        yield from (header for header, _ in frames)
    elif dialect.form is Form.LEGACY:
        from node.scanner.legacy import make_legacy  # its library takes a second to load

        yield make_legacy([header for header, _ in frames], images[0].series)
    elif manners.has_one_frame_per_object:
        yield from (make_enhanced([frame], manners, str(frame[1].instance)) for frame in frames)
    else:
        yield make_enhanced(frames, manners, "object")


def _frames(images: Sequence[ScannedImage], form: Form, manners: Manners) -> Iterator[Frame]:
    """Yield header with pixels and scanner's knowledge of each image of a series."""
    is_enhanced = form is Form.ENHANCED
    equipment = manners.enhanced_equipment if is_enhanced else manners.equipment
    speak = manners.speak_enhanced if is_enhanced else manners.speak
    for image, number in zip(images, manners.number(images), strict=True):
        header = image_header(image, equipment)
        header.InstanceNumber = number
        speak(header, image)
        manners.add_pixels(header, image.magnitude)
        yield header, image
