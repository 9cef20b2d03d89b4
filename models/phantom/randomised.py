"""Random protocols: everything a scanner, a site or a patient may do differently."""

from collections.abc import Set as AbstractSet
from dataclasses import fields

from torch import Generator

from models.phantom.protocol import Breathing, Protocol
from models.phantom.random_flaws import Stray, draw_artefacts, draw_reconstruction
from models.phantom.random_sequences import draw_sequences
from models.phantom.randomness import chance, log_uniform, stream, uniform
from models.phantom.reconstruction import Reconstruction
from models.phantom.variety import Variety
from models.physics import AGENTS

_STEP = 16
"""Matrices are multiples of it, so that any part may be folded in."""
_BREATHING_MM = {
    Breathing.HELD: (1.0, 4.0),
    Breathing.FAILS: (3.0, 14.0),
    Breathing.FREE: (3.0, 14.0),
    Breathing.GASPS: (6.0, 20.0),
}
_FAR_BREATHING_MM = _BREATHING_MM | {Breathing.GASPS: (20.0, 25.0)}


def random_protocol(
    seed: int, *, breathing: Breathing | None = None, beyond: bool = False
) -> Protocol:
    """Draw a protocol with anatomy, rhythm and motion of `Variety.WIDE`.

    Parameters
    ----------
    seed
        The same seed gives the same protocol.
    breathing
        How well the patient holds the breath; drawn when None.
    beyond
        Draw two or more of noise, pixels, ghost, undersampling, gain, coil, breathing and anatomy
        outside the ranges that are drawn otherwise.

    Returns
    -------
    Protocol
        Delivered matrices of 128-256 (96-128 beyond), pixels of 1.0-2.8 mm (2.8-3.4 mm beyond),
        signal-to-noise ratio 5-40 (3-5 beyond).

    """
    generator = stream(seed, "protocol", *(("beyond",) if beyond else ()))
    strays = _draw_strays(generator) if beyond else frozenset()
    drawn_breathing = list(Breathing)[int(uniform(generator, 0.0, float(len(Breathing))))]
    if breathing is None:
        breathing = Breathing.GASPS if Stray.BREATHING in strays else drawn_breathing
    breathing_mm = (_FAR_BREATHING_MM if Stray.BREATHING in strays else _BREATHING_MM)[breathing]
    field_strength_t = 3.0 if chance(generator, 0.5) else 1.5
    sequences = draw_sequences(generator, field_strength_t=field_strength_t)
    reconstruction = draw_reconstruction(generator)
    spacing_mm, matrix, arterial_matrix = _draw_matrices(generator, strays)
    return Protocol(
        field_strength_t=field_strength_t,
        agent=_draw_agent(generator),
        dose_fraction=log_uniform(generator, 0.55, 1.5),
        blood_transverse_relaxivity_l_mmol_s=uniform(generator, 5.0, 14.0),
        hematocrit_fraction=uniform(generator, 0.32, 0.48),
        matrix=_painted(matrix, reconstruction),
        spacing_mm=spacing_mm,
        thickness_mm=uniform(generator, 8.0, 10.0),
        slice_distance_mm=uniform(generator, 14.0, 22.0),
        arterial_matrix=_painted(arterial_matrix, reconstruction),
        n_proton_density=int(chance(generator, 0.7)) * (1 + int(uniform(generator, 0.0, 4.0))),
        n_saturation_recovery=45 + int(uniform(generator, 0.0, 36.0)),
        **{entry.name: getattr(sequences, entry.name) for entry in fields(sequences)},
        signal_to_noise=_draw_signal_to_noise(generator, strays),
        breathing=breathing,
        breathing_range_mm=breathing_mm,
        variety=Variety.WIDE,
        anatomy_beyond=Stray.ANATOMY in strays,
        mirrored=chance(generator, 0.3),
        reconstruction=reconstruction,
        artefacts=draw_artefacts(generator, sequences.perfusion.readout, strays, field_strength_t),
    )


def _draw_strays(generator: Generator) -> AbstractSet[Stray]:
    """Draw what lies outside the usual ranges, two things at least."""
    order = sorted(Stray, key=lambda _: uniform(generator, 0.0, 1.0))
    n_strays = 2 + int(uniform(generator, 0.0, 3.0))
    return frozenset(order[:n_strays])


def _draw_matrices(
    generator: Generator, strays: AbstractSet[Stray]
) -> tuple[float, tuple[int, int], tuple[int, int]]:
    """Draw pixel size, delivered matrix and delivered arterial matrix, mostly nearly square."""
    far = Stray.PIXELS in strays
    spacing_mm = uniform(generator, 2.8, 3.4) if far else uniform(generator, 1.0, 2.8)
    fewest, most = (96, 128) if far else (128, 256)
    field_mm = uniform(generator, 270.0, 380.0)
    sides_mm = (field_mm * uniform(generator, 0.8, 1.0), field_mm)
    if chance(generator, 0.3):
        sides_mm = (sides_mm[1], sides_mm[0])
    rows, columns = (_whole(side_mm / spacing_mm, fewest, most) for side_mm in sides_mm)
    coarse = [_whole(uniform(generator, 48.0, 96.0), 48, 96) for _ in range(2)]
    if chance(generator, 0.5):
        coarse[1] = coarse[0]
    return spacing_mm, (rows, columns), (coarse[0], coarse[1])


def _whole(size: float, fewest: int, most: int) -> int:
    """Return the nearest multiple of the step within bounds that are multiples themselves."""
    return min(max(round(size / _STEP) * _STEP, fewest), most)


def _painted(matrix: tuple[int, int], reconstruction: Reconstruction) -> tuple[int, int]:
    """Return the matrix of which a delivered one is left when the outside is folded in."""
    sides = list(matrix)
    axis = reconstruction.phase_encoding_axis
    sides[axis] = round(sides[axis] / (1.0 - reconstruction.fold_over_fraction))
    return sides[0], sides[1]


def _draw_agent(generator: Generator) -> str:
    names = sorted(AGENTS)
    drawn = names[int(uniform(generator, 0.0, float(len(names))))]
    return "gadobutrol" if chance(generator, 0.4) else drawn


def _draw_signal_to_noise(generator: Generator, strays: AbstractSet[Stray]) -> float:
    usual, far = log_uniform(generator, 5.0, 40.0), uniform(generator, 3.0, 5.0)
    return far if Stray.NOISE in strays else usual
