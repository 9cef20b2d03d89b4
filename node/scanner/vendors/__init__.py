"""The habits of the vendors, one file each; sources are named where a habit is written.

No headers of real perfusion exams are public. What is known comes from conformance statements and
from converters that meet such files every day; what is only probable says so.
"""

from collections.abc import Mapping

from node.scanner.dialect import Vendor
from node.scanner.vendors.canon import CANON
from node.scanner.vendors.ge import GE
from node.scanner.vendors.manners import Manners
from node.scanner.vendors.philips import PHILIPS
from node.scanner.vendors.siemens import SIEMENS
from node.scanner.vendors.uih import UIH

MANNERS: Mapping[Vendor, Manners] = {
    Vendor.SIEMENS: SIEMENS,
    Vendor.PHILIPS: PHILIPS,
    Vendor.GE: GE,
    Vendor.UIH: UIH,
    Vendor.CANON: CANON,
}

__all__ = ["MANNERS", "Manners"]
