"""What can go wrong with stored networks.

Exception
└── WeightsError      a refusal: the file must be replaced, trying again does not help
"""


class WeightsError(Exception):
    """Weights or their card are missing, altered, or do not fit the architecture."""
