"""The virtual scanner: a phantom exam as the DICOM files a scanner would write.

`write_exam` writes the arterial-input series and the perfusion series of one state in a `Dialect`:
the habits of a vendor (`vendors`, one file each), classic, enhanced or legacy converted objects, a
transfer syntax, an order. `send_files` stores files at a node; `save_truth` keeps what the phantom
knows.
"""

from node.scanner.dialect import Dialect, Form, Syntax, Vendor
from node.scanner.patient import VirtualPatient
from node.scanner.send import send_files
from node.scanner.truth import save_truth
from node.scanner.write import write_exam

__all__ = [
    "Dialect",
    "Form",
    "Syntax",
    "Vendor",
    "VirtualPatient",
    "save_truth",
    "send_files",
    "write_exam",
]
