"""What a measured region is called, alike in masks and reports: one is found by the other."""

from pydicom.uid import UID

from node.translate.uids import make_uid
from pipeline.regions import Layer

MYOCARDIUM_NAME = "LV myocardium"
BLOOD_POOL_NAME = "LV blood pool"
QUALITY_NAME = "Quality and parameters"


def tracking_name(name: str, layer: Layer, segment: int | None) -> str:
    """Return `AHA 7`, `AHA 7 endocardial`, `LAD` or `global` for a region of the wall."""
    region = name if segment is None else f"AHA {segment}"
    return region if layer is Layer.WHOLE else f"{region} {layer.value}"


def tracking_uid(key: str, name: str) -> UID:
    """Return the identifier of a region of one exam.

    Parameters
    ----------
    key
        Digest of everything the exam was made from.
    name
        What the region is called.

    """
    return make_uid("region", key, name)
