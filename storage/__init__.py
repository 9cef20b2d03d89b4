"""Rows and bytes: what was received, what state each study is in, what must still be sent.

Storage is the truth of the node. It knows digests, paths and states; it never looks inside a
DICOM file, and nothing outside it speaks SQL.
"""
