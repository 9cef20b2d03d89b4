"""The field strengths for which constants are known."""

_TOLERANCE_T = 0.3


def nearest_field_strength(field_strength_t: float) -> float:
    """Return the tabulated field strength of a magnet, 1.5 or 3 T.

    Real magnets carry values such as 1.494 or 2.89 T.

    Raises
    ------
    ValueError
        If neither is within 0.3 T.

    """
    for tabulated_t in (1.5, 3.0):
        if abs(field_strength_t - tabulated_t) <= _TOLERANCE_T:
            return tabulated_t
    raise ValueError(
        f"no constants for a field strength of {field_strength_t} T: "
        "only 1.5 T and 3 T are tabulated"
    )
