"""Classic images of one series as a Legacy Converted Enhanced MR object (PS3.3 A.70).

The conversion is done by somebody else's converter, so what the reader meets is not what its
author expects.
"""

import warnings
from collections.abc import Sequence

from highdicom.legacy import LegacyConvertedEnhancedMRImage
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from node.scanner.scanned import ScannedSeries

_UNWANTED = (
    "InstanceCreationDate",  # of the wall clock
    "InstanceCreationTime",
    "ReferencedSeriesSequence",  # of nothing: the sources are never stored
)


def make_legacy(headers: Sequence[Dataset], series: ScannedSeries) -> Dataset:
    """Return one object of all images of a series; equal images give equal objects."""
    for header in headers:
        header.file_meta = FileMetaDataset()
        header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what vendors leave out is no news here
        converted = LegacyConvertedEnhancedMRImage(
            headers,
            series_instance_uid=series.session.uid(*series.identity),
            series_number=series.number,
            sop_instance_uid=series.session.uid(*series.identity, "object"),
            instance_number=1,
        )
    for keyword in _UNWANTED:
        converted.pop(keyword, None)
    for item in converted.get("ContributingEquipmentSequence", ()):
        item.ContributionDateTime = f"{converted.ContentDate}{converted.ContentTime}"
    organization = series.session.uid(*series.identity, "dimensions")
    for keyword in ("DimensionOrganizationSequence", "DimensionIndexSequence"):
        for item in converted.get(keyword, ()):
            item.DimensionOrganizationUID = organization
    return _plain(converted)


def _plain(converted: Dataset) -> Dataset:
    """Return the same elements without what the library adds to a data set."""
    plain = Dataset()
    plain.update({element.tag: element for element in converted})
    return plain
