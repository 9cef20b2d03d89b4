"""Who made an object: this node as equipment, the scanner as contributing equipment."""

import copy
import re

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from node.settings import ResultsSettings
from node.translate.codes import ACQUISITION_EQUIPMENT, code_sequence
from node.translate.copying import copy_valid_elements
from node.translate.uids import make_uid
from node.translate.values import text_of

MANUFACTURER = "perfnode"
MODEL = "perfnode"

_MOMENT = re.compile(r"\d{8}(?:\d{2}){0,3}(?:\.\d{1,6})?")
"""A date with or without a time (VR DT)."""
_SCANNER_KEYWORDS = (
    "Manufacturer",
    "InstitutionName",
    "InstitutionAddress",
    "StationName",
    "InstitutionalDepartmentName",
    "ManufacturerModelName",
    "DeviceSerialNumber",
    "SoftwareVersions",
    "DeviceUID",
)


def add_equipment(
    target: Dataset, source: Dataset, *, software_version: str, settings: ResultsSettings
) -> None:
    """Name this node as maker (C.7.5.1) and keep the scanner as contributor (C.12.1)."""
    target.Manufacturer = MANUFACTURER
    target.ManufacturerModelName = MODEL
    target.SoftwareVersions = software_version
    target.DeviceSerialNumber = settings.device_serial_number
    target.DeviceUID = device_uid(settings)
    if settings.institution:
        target.InstitutionName = settings.institution
    contributors = _contributors(source)
    if contributors:
        target.ContributingEquipmentSequence = Sequence(contributors)


def device_uid(settings: ResultsSettings) -> UID:
    """Return what names this node among all devices, in every object alike (C.7.5.1)."""
    return make_uid("device", MANUFACTURER, settings.device_serial_number)


def _contributors(source: Dataset) -> list[Dataset]:
    earlier = [copy.deepcopy(item) for item in source.get("ContributingEquipmentSequence") or ()]
    if any(_is_acquisition(item) for item in earlier) or not text_of(source, "Manufacturer"):
        return earlier
    return [*earlier, _scanner(source)]


def _is_acquisition(item: Dataset) -> bool:
    purposes = item.get("PurposeOfReferenceCodeSequence") or ()
    return any(text_of(code, "CodeValue") == ACQUISITION_EQUIPMENT.value for code in purposes)


def _scanner(source: Dataset) -> Dataset:
    item = Dataset()
    item.PurposeOfReferenceCodeSequence = code_sequence(ACQUISITION_EQUIPMENT)
    known = [keyword for keyword in _SCANNER_KEYWORDS if text_of(source, keyword)]
    copy_valid_elements(source, item, known)
    item.ContributionDescription = "Image acquisition"
    moment = text_of(source, "AcquisitionDate") + text_of(source, "AcquisitionTime")
    if _MOMENT.fullmatch(moment):
        item.ContributionDateTime = moment
    return item
