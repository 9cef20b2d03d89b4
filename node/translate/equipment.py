"""Who made an object: this node as equipment, the scanner as contributing equipment."""

import copy
import re

from pydicom.dataset import Dataset
from pydicom.uid import UID

from node.settings import ResultsSettings
from node.translate.codes import ACQUISITION_EQUIPMENT, pack_code
from node.translate.copying import copy_valid_elements
from node.translate.elements import (
    Elements,
    make_elements,
    make_sequence,
    plain_element,
    tag_of,
)
from node.translate.uids import make_uid
from node.translate.values import items_of, text_of

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


def equipment_of(source: Dataset, *, software_version: str, settings: ResultsSettings) -> Elements:
    """Return elements with this node as maker (C.7.5.1), the scanner as contributor (C.12.1)."""
    elements = make_elements(
        {
            "Manufacturer": MANUFACTURER,
            "ManufacturerModelName": MODEL,
            "SoftwareVersions": software_version,
            "DeviceSerialNumber": settings.device_serial_number,
            "DeviceUID": device_uid(settings),
        }
    )
    if settings.institution:
        elements |= make_elements({"InstitutionName": settings.institution})
    contributors = _contributors(source)
    if contributors:
        keyword = "ContributingEquipmentSequence"
        elements[tag_of(keyword)] = make_sequence(keyword, contributors)
    return elements


def device_uid(settings: ResultsSettings) -> UID:
    """Return what names this node among all devices, in every object alike (C.7.5.1)."""
    return make_uid("device", MANUFACTURER, settings.device_serial_number)


def _contributors(source: Dataset) -> list[Elements]:
    items = items_of(source, "ContributingEquipmentSequence")
    earlier = [dict(copy.deepcopy(item).items()) for item in items]
    if any(_is_acquisition(item) for item in items) or not text_of(source, "Manufacturer"):
        return earlier
    return [*earlier, _scanner(source)]


def _is_acquisition(item: Dataset) -> bool:
    purposes = item.get("PurposeOfReferenceCodeSequence") or ()
    return any(text_of(code, "CodeValue") == ACQUISITION_EQUIPMENT.value for code in purposes)


def _scanner(source: Dataset) -> Elements:
    known = [keyword for keyword in _SCANNER_KEYWORDS if text_of(source, keyword)]
    elements = copy_valid_elements(source, known)
    keyword = "PurposeOfReferenceCodeSequence"
    elements[tag_of(keyword)] = plain_element(keyword, "SQ", pack_code(ACQUISITION_EQUIPMENT))
    elements |= make_elements({"ContributionDescription": "Image acquisition"})
    moment = text_of(source, "AcquisitionDate") + text_of(source, "AcquisitionTime")
    if _MOMENT.fullmatch(moment):
        elements |= make_elements({"ContributionDateTime": moment})
    return elements
