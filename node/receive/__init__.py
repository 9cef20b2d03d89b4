"""Receiving: a DICOM Storage and Verification provider that loses nothing it acknowledged.

A C-STORE goes through five modules in this order: `guard` and `callers` (may this peer talk to
us, and how much), `conversation` (the protocol's events), `admit` (identity, durable bytes, row),
with `identity` and `part10` reading and writing the few header elements that are needed. Only
after the row is committed is 0x0000 returned. `recover` repairs at the start what a crash left,
`serve` holds all of it together.

The received bytes are stored as they came; nothing here decodes or re-encodes an image.
"""
