"""Errors of storage.

StorageError                 base of everything storage raises on purpose
├── DatabaseTooNewError          refusal: written by a newer perfnode
├── DataFolderError              refusal: the data folder cannot be used; names path and remedy
├── UnknownStudyError            refusal: no such study
├── IllegalTransitionError       refusal: the table of transitions has no such move
└── TransientStorageError        disk full, disk error or database locked: retry by schedule
"""


class StorageError(Exception):
    """Base of everything storage raises on purpose."""


class DatabaseTooNewError(StorageError):
    """The database was written by a newer version of the software."""


class DataFolderError(StorageError):
    """The data folder does not exist, or nothing can be written into it."""


class UnknownStudyError(StorageError):
    """The catalogue has no such study."""


class IllegalTransitionError(StorageError):
    """A study cannot make this move from the state it is in."""


class TransientStorageError(StorageError):
    """Disk or database trouble that may pass: no space, input/output error, locked."""
