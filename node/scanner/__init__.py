"""The virtual scanner: a phantom exam as the DICOM files a Siemens scanner would write.

`write_exam` writes the arterial-input series and the perfusion series of one state as classic MR
Image Storage, with the habits of the vendor: repetition time is the whole shot, trigger time is
constant per slice, acquisition time counts beats, inversion time stands beside a gradient echo,
a private block holds the time after the start. `send_files` stores files at a node; `save_truth`
keeps what the phantom knows.
"""

from node.scanner.patient import VirtualPatient
from node.scanner.send import send_files
from node.scanner.truth import save_truth
from node.scanner.write import write_exam

__all__ = ["VirtualPatient", "save_truth", "send_files", "write_exam"]
