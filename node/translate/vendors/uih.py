"""United Imaging: what perfusion needs is written in public attributes (dcm2niix, UIH).

Acquisition time is that of the beat. Volumes packed into one image (0065,xx50) are functional and
diffusion series, never perfusion.
"""

from node.translate.vendors.elements import Vendor

UIH = Vendor(name="United Imaging", makers=("UIH", "UNITED IMAGING"), elements=())
