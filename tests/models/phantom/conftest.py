"""One exam for all tests that only look at it."""

import pytest

from models.phantom import PhantomExam, Protocol, make_exam


@pytest.fixture(scope="session")
def exam() -> PhantomExam:
    """Return a stress exam with the shipped protocol."""
    return make_exam(3)


@pytest.fixture(scope="session")
def small() -> Protocol:
    """Return a coarse and short protocol for tests that make many exams."""
    return Protocol(
        matrix=(64, 64), spacing_mm=4.5, arterial_matrix=(32, 32), n_saturation_recovery=24
    )
