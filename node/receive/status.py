"""What a C-STORE can be answered with."""

from enum import IntEnum

from node.errors import RefusalError

COMMENT_LENGTH = 64
"""Error Comment (0000,0902) is a long string: 64 characters (PS3.5 6.2)."""


class StoreStatus(IntEnum):
    """Statuses of the storage service (PS3.4 table B.2-1, PS3.7 annex C)."""

    SUCCESS = 0x0000
    PROCESSING_FAILURE = 0x0110
    OUT_OF_RESOURCES = 0xA700
    """Nothing is wrong with the object: try again later."""
    DATASET_MISMATCH = 0xA900
    """Data set does not match the command, or lacks a legal identifier."""
    CANNOT_UNDERSTAND = 0xC000


class StoreRefusedError(RefusalError):
    """The object is not stored; the peer gets the status and a comment without identity."""

    def __init__(self, status: StoreStatus, comment: str) -> None:
        super().__init__(comment)
        self.status = status
        self.comment = comment[:COMMENT_LENGTH]
