"""Results that come back after they were retracted: the same content under new identifiers.

An archive may refuse for good, or hide, whatever carries an identifier that it was told to forget
(IHE IOCM), and identifiers follow from the input: computing a rejected study again with the same
settings would make the same ones.
"""

import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import count

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.uid import UID

from node.translate.results import ResultObject
from node.translate.uids import make_uid


def renew(results: Sequence[ResultObject], retracted: Collection[str]) -> tuple[ResultObject, ...]:
    """Return the results as they are, or all of them under new identifiers.

    All or none, because results name each other: one that kept its identifier would have other
    content than before.

    Parameters
    ----------
    results
        The results of one computation.
    retracted
        SOP Instance UIDs that no result may have.

    """
    uids = {str(result.dataset.SOPInstanceUID) for result in results}
    if uids.isdisjoint(retracted):
        return tuple(results)
    uids |= {str(result.dataset.SeriesInstanceUID) for result in results}
    for generation in count(1):
        names = {uid: make_uid("renewed", str(generation), uid) for uid in uids}
        if set(names.values()).isdisjoint(retracted):
            break
    return tuple(replace(result, dataset=_renamed(result.dataset, names)) for result in results)


def _renamed(dataset: Dataset, names: Mapping[str, UID]) -> Dataset:
    """Return a copy in which every identifier, of the object and in its references, is new."""
    target = copy.deepcopy(dataset)

    def rename(_: Dataset, element: DataElement) -> None:
        if element.VR == "UI" and not element.is_empty and element.VM == 1:
            element.value = names.get(str(element.value), element.value)

    target.walk(rename)
    return target
