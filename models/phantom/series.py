"""What a series is and how it is planned."""

from dataclasses import dataclass, replace

from jaxtyping import Float
from torch import Tensor

from models.phantom.protocol import Protocol
from models.phantom.truth import SeriesTruth
from models.physics import Readout, SaturationRecovery, SpoiledGradientEcho


@dataclass(frozen=True, slots=True, kw_only=True)
class PhantomSeries:
    """One series as the scanner delivers it, with truth."""

    frames: Float[Tensor, "time row column"]
    """Magnitude, arbitrary units 0..~4000; one gain for the whole series."""
    time_s: Float[Tensor, " time"]
    """k-space centre of each frame on the clock of the exam, s."""
    n_proton_density: int
    spacing_mm: tuple[float, float]
    thickness_mm: float
    offset_mm: float
    """Along the slice normal from the basal slice, positive towards the apex."""
    trigger_delay_s: float
    sequence: SaturationRecovery
    proton_density: Readout
    echo_number: int
    """1, or 2 for the later echo of the same pulses."""
    truth: SeriesTruth


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesPlan:
    """Where and how one series is acquired."""

    name: str
    slice_index: int
    offset_mm: float
    trigger_delay_s: float
    matrix: tuple[int, int]
    spacing_mm: tuple[float, float]
    sequence: SaturationRecovery
    proton_density: Readout
    is_arterial_input: bool
    echo_number: int = 1

    @classmethod
    def of_slice(cls, protocol: Protocol, index: int) -> "SeriesPlan":
        """Plan one perfusion slice."""
        return cls(
            name=f"slice {index}",
            slice_index=index,
            offset_mm=index * protocol.slice_distance_mm,
            trigger_delay_s=protocol.slice_trigger_delay_s(index),
            matrix=protocol.matrix,
            spacing_mm=(protocol.spacing_mm, protocol.spacing_mm),
            sequence=protocol.perfusion,
            proton_density=protocol.perfusion_proton_density,
            is_arterial_input=False,
        )

    @classmethod
    def of_arterial_input(cls, protocol: Protocol) -> "SeriesPlan":
        """Plan the arterial-input series: the basal slice, early in the beat."""
        return cls(
            name="arterial input",
            slice_index=0,
            offset_mm=0.0,
            trigger_delay_s=protocol.arterial_trigger_delay_s,
            matrix=protocol.arterial_matrix,
            spacing_mm=protocol.arterial_spacing_mm,
            sequence=protocol.arterial,
            proton_density=protocol.arterial_proton_density,
            is_arterial_input=True,
        )

    @classmethod
    def of_second_echo(cls, protocol: Protocol, echo_time_s: float) -> "SeriesPlan":
        """Plan the second echo of the arterial-input series: the same pulses, read out later."""
        first = cls.of_arterial_input(protocol)
        readout = protocol.arterial.readout
        if not isinstance(readout, SpoiledGradientEcho):
            raise TypeError("only a spoiled arterial-input series has a second echo")
        return replace(
            first,
            sequence=replace(protocol.arterial, readout=replace(readout, echo_time_s=echo_time_s)),
            proton_density=replace(protocol.arterial_proton_density, echo_time_s=echo_time_s),
            echo_number=2,
        )
