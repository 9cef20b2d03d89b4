"""Drawing how a random exam is reconstructed and what goes wrong with it."""

from collections.abc import Set as AbstractSet
from enum import StrEnum

from torch import Generator

from models.phantom.artefacts import Artefacts
from models.phantom.coils import CoilShading
from models.phantom.randomness import chance, log_uniform, uniform
from models.phantom.reconstruction import Reconstruction
from models.physics import BalancedSteadyState, EchoPlanarGradientEcho, Readout

FOLDED = (1.0 / 9.0, 1.0 / 5.0)
"""Parts that may be folded in: an eighth or a quarter more is painted than is delivered."""


class Stray(StrEnum):
    """What may lie outside the usual ranges in an exam for tests of transfer."""

    NOISE = "noise"
    PIXELS = "pixels"
    GHOST = "ghost"
    UNDERSAMPLING = "undersampling"
    GAIN = "gain"
    COIL = "coil"
    BREATHING = "breathing"
    ANATOMY = "anatomy"


def draw_reconstruction(generator: Generator) -> Reconstruction:
    """Draw how k-space becomes an image."""
    folds = chance(generator, 0.25)
    return Reconstruction(
        phase_encoding_axis=int(chance(generator, 0.4)),
        phase_encoding_fraction=uniform(generator, 0.5, 1.0),
        filter_flat_fraction=uniform(generator, 0.2, 0.95),
        fold_over_fraction=FOLDED[int(chance(generator, 0.35))] if folds else 0.0,
        brightest=log_uniform(generator, 200.0, 4000.0),
        rounds=chance(generator, 0.8),
        filters_noise=chance(generator, 0.7),
    )


def draw_artefacts(
    generator: Generator, readout: Readout, strays: AbstractSet[Stray], field_strength_t: float
) -> Artefacts:
    """Draw what goes wrong; some of it only with some readouts."""

    def sometimes(probability: float, low: float, high: float) -> float:
        size = uniform(generator, low, high)
        return size if chance(generator, probability) else 0.0

    def usually(stray: Stray, usual: tuple[float, float, float], far: tuple[float, float]) -> float:
        ordinary, extreme = sometimes(*usual), uniform(generator, *far)
        return extreme if stray in strays else ordinary

    is_echo_planar = isinstance(readout, EchoPlanarGradientEcho)
    is_balanced = isinstance(readout, BalancedSteadyState)
    ghost = (0.85, 0.02, 0.15) if is_echo_planar else (0.08, 0.01, 0.05)
    offset_hz = sometimes(0.9 if is_balanced else 0.0, 40.0, 80.0 + 60.0 * field_strength_t)
    return Artefacts(
        ghost_phase_rad=usually(Stray.GHOST, ghost, (0.18, 0.35)),
        off_resonance_hz=offset_hz,
        acceleration=2 + int(chance(generator, 0.4)),
        residual_aliasing=usually(Stray.UNDERSAMPLING, (0.35, 0.01, 0.08), (0.10, 0.18)),
        g_factor=1.0 + sometimes(0.7, 0.1, 1.2),
        incoherent_aliasing=usually(Stray.UNDERSAMPLING, (0.25, 0.03, 0.25), (0.3, 0.5)),
        streaks=sometimes(0.15, 0.03, 0.25),
        view_sharing=sometimes(0.2, 0.1, 0.5),
        dark_rim=sometimes(0.35, 0.1, 0.4),
        fat_shift_px=sometimes(0.5, -2.0, 2.0),
        gain_jitter=usually(Stray.GAIN, (0.4, 0.005, 0.04), (0.06, 0.12)),
        coil=_draw_coil(generator),
        coil_strength=_draw_coil_strength(generator, strays),
    )


def _draw_coil(generator: Generator) -> CoilShading:
    kinds = list(CoilShading)
    return kinds[int(uniform(generator, 0.0, float(len(kinds))))]


def _draw_coil_strength(generator: Generator, strays: AbstractSet[Stray]) -> float:
    usual, far = log_uniform(generator, 1.2, 3.0), uniform(generator, 3.5, 6.0)
    return far if Stray.COIL in strays else usual
