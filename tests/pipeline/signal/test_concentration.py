"""Signal to concentration and back, at the edges of the table, and the meaning of the scale."""

import dataclasses
import math

import dcmri
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.physics import (
    BalancedSteadyState,
    EchoPlanarGradientEcho,
    Preparation,
    Relaxation,
    SaturationRecovery,
    SpoiledGradientEcho,
    relaxation_rate,
)
from pipeline.errors import CannotQuantifyError
from pipeline.findings import Code
from pipeline.signal import ratio_to_concentration, signal_table, to_concentration
from pipeline.signal.baseline import native_signal

T1_S, RELAXIVITY = 1.3, 4.9


def relaxation(transverse: float = 0.0) -> Relaxation:
    """Return myocardium; a GRE sees nothing of T2 but what the agent does."""
    return Relaxation(
        native_t1_s=T1_S,
        native_t2_s=0.045,
        native_t2_star_s=0.024,
        relaxivity_l_mmol_s=RELAXIVITY,
        transverse_relaxivity_l_mmol_s=transverse,
    )


def readout(flip_deg: float = 12.0, n: int = 24) -> SpoiledGradientEcho:
    return SpoiledGradientEcho(
        repetition_time_s=0.002,
        echo_time_s=0.001,
        flip_angle_rad=math.radians(flip_deg),
        pulses_before_centre=n,
    )


def recovery(delay_s: float = 0.062) -> SaturationRecovery:
    return SaturationRecovery(saturation_delay_s=delay_s, residual_fraction=0.0, readout=readout())


def ratio(concentration: torch.Tensor) -> torch.Tensor:
    rate = relaxation_rate(concentration, native_t1_s=T1_S, relaxivity_l_mmol_s=RELAXIVITY)
    native = torch.full_like(rate, 1.0 / T1_S)
    return recovery().signal(rate) / readout(5.0).signal(native)


def table():
    return signal_table(recovery(), proton_density=readout(5.0), relaxation=relaxation())


@given(st.floats(-0.12, 6.0))
def test_concentration_survives_signal_and_back(concentration):
    wanted = torch.tensor([concentration], dtype=torch.float64)
    found = ratio_to_concentration(ratio(wanted), table())
    assert torch.allclose(found, wanted, atol=2e-5)


@given(st.floats(0.005, 0.3), st.integers(0, 60), st.floats(0.4, 2.5), st.floats(2.0, 13.0))
def test_every_sequence_has_a_monotone_table_that_reaches_below_zero(delay, n, t1, relaxivity):
    sequence = SaturationRecovery(
        saturation_delay_s=delay, residual_fraction=0.0, readout=readout(n=n)
    )
    made = signal_table(
        sequence,
        proton_density=None,
        relaxation=dataclasses.replace(
            relaxation(), native_t1_s=t1, relaxivity_l_mmol_s=relaxivity
        ),
    )
    assert made.concentration_mmol_l[0] < 0 < made.concentration_mmol_l[-1]
    assert bool((made.ratio.diff() > 0).all())


def test_signal_off_the_table_is_nan_and_never_clamped():
    made = table()
    beyond = torch.stack([made.ratio[0] * 0.9, made.ratio[-1] * 1.001, torch.tensor(torch.nan)])
    assert bool(ratio_to_concentration(beyond, made).isnan().all())
    ends = ratio_to_concentration(made.ratio[[0, -1]], made)
    assert torch.equal(ends, made.concentration_mmol_l[[0, -1]])


BALANCED = BalancedSteadyState(
    repetition_time_s=0.0027,
    flip_angle_rad=math.radians(45.0),
    pulses_before_centre=20,
    preparation=Preparation.RAMP,
)
ECHO_PLANAR = EchoPlanarGradientEcho(
    repetition_time_s=0.0068,
    echo_time_s=0.0036,
    flip_angle_rad=math.radians(24.0),
    pulses_before_centre=8,
    echo_train_length=4,
    echo_spacing_s=0.0012,
)


@pytest.mark.parametrize(
    ("played", "reference", "native_1_s", "tolerance"),
    [
        (readout(), readout(5.0), 0.0, 1e-9),
        (ECHO_PLANAR, dataclasses.replace(ECHO_PLANAR, flip_angle_rad=0.1), 1 / 0.024, 1e-9),
        (BALANCED, readout(5.0), 1 / 0.045, 2e-5),
    ],
    ids=["spoiled", "echo planar", "balanced"],
)
@given(st.floats(0.0, 3.0), st.floats(-0.02, 0.1))
def test_the_conversion_sees_the_transverse_decay_of_each_readout(
    played, reference, native_1_s, tolerance, concentration, residual
):
    """The tissue is imaged here by hand: R1 and R2 of its own, then divided by its PD signal."""
    sequence = SaturationRecovery(
        saturation_delay_s=0.06, residual_fraction=residual, readout=played
    )
    where = torch.tensor([concentration], dtype=torch.float64)
    native = torch.tensor([1 / T1_S], dtype=torch.float64)
    reference_1_s = 0.0 if reference.decay.value == "agent" else native_1_s
    shown = sequence.signal(1 / T1_S + RELAXIVITY * where, native_1_s + 6.0 * where)
    ratio_shown = shown / reference.signal(native, torch.full_like(native, reference_1_s))
    made = signal_table(sequence, proton_density=reference, relaxation=relaxation(6.0))
    found = ratio_to_concentration(ratio_shown, made)
    assert float(found) == pytest.approx(concentration, abs=1e-4 + tolerance)


@pytest.mark.parametrize("played", [readout(), ECHO_PLANAR, BALANCED])
def test_a_table_ends_before_transverse_decay_turns_the_signal_back(played):
    sequence = SaturationRecovery(saturation_delay_s=0.06, residual_fraction=0.0, readout=played)
    made = signal_table(sequence, proton_density=readout(5.0), relaxation=relaxation(60.0))
    end = made.concentration_mmol_l[-1]
    assert bool((made.ratio.diff() > 0).all())
    assert 0.5 < float(end) < 15.0
    beyond = torch.tensor([float(end) + 3.0], dtype=torch.float64)
    turned = sequence.signal(
        1 / T1_S + RELAXIVITY * beyond,
        relaxation(60.0).transverse_1_s(beyond, played.decay),
    ) / readout(5.0).signal(torch.tensor([1 / T1_S], dtype=torch.float64))
    assert float(turned) < 1.05 * float(made.ratio[-1])


def nulled(factor: float) -> SaturationRecovery:
    """Return a sequence that inverts a little and reads when the tissue passes zero."""
    return SaturationRecovery(
        saturation_delay_s=factor * T1_S * math.log(1.2),
        residual_fraction=-0.2,
        readout=dataclasses.replace(readout(), pulses_before_centre=0),
    )


def test_a_sequence_without_signal_before_contrast_cannot_be_scaled_by_it():
    with pytest.raises(CannotQuantifyError) as refused:
        signal_table(nulled(1.0), proton_density=None, relaxation=relaxation())
    assert refused.value.code is Code.UNSUPPORTED_SEQUENCE


def test_a_table_leaves_out_where_a_magnitude_falls():
    made = signal_table(nulled(0.5), proton_density=readout(5.0), relaxation=relaxation())
    assert float(made.concentration_mmol_l[0]) > 0.05
    assert float(made.ratio[0]) < 0.05


def test_tables_are_made_once():
    assert table() is table()


def test_table_agrees_with_an_independent_signal_model():
    """dcmri, Apache-2.0: saturation-recovery spoiled gradient echo, readout to the centre."""
    made = table()
    place = [100, 300, 600]
    rates = 1.0 / T1_S + RELAXIVITY * made.concentration_mmol_l[place].numpy()
    signal = dcmri.signal_spgr(1.0, rates, 24 * 0.002, 0.002, 12.0, 0.062)
    proton = readout(5.0).signal(torch.tensor([1.0 / T1_S], dtype=torch.float64))
    expected = signal / proton.numpy()
    assert np.allclose(made.ratio[place].numpy(), expected, rtol=1e-8)


def series(
    concentration: torch.Tensor, *, scale: float = 900.0, n_proton_density: int = 3
) -> torch.Tensor:
    """Return frames of a uniform tissue whose coil sensitivity varies slowly over the image."""
    sensitivity = 1.0 + 0.3 * torch.linspace(-1, 1, 24, dtype=torch.float64)[:, None].expand(24, 24)
    native = torch.full((1,), 1.0 / T1_S, dtype=torch.float64)
    proton = readout(5.0).signal(native).expand(n_proton_density)
    rate = relaxation_rate(concentration, native_t1_s=T1_S, relaxivity_l_mmol_s=RELAXIVITY)
    curve = torch.cat([proton, recovery().signal(rate)])
    return (scale * curve[:, None, None] * sensitivity).float()


def bolus(n_frames: int = 40, onset: int = 10) -> torch.Tensor:
    time = torch.arange(n_frames, dtype=torch.float64) - onset
    return 0.8 * (1.0 - torch.exp(-time.clamp_min(0.0) / 5.0))


def convert(frames: torch.Tensor, n_proton_density: int = 3, **changes) -> torch.Tensor:
    arguments = {
        "n_proton_density": n_proton_density,
        "sequence": recovery(),
        "proton_density": readout(5.0),
        "relaxation": relaxation(),
        "spacing_mm": (2.0, 2.0),
    }
    return to_concentration(frames, **(arguments | changes))


def test_proton_density_recovers_concentration_under_coil_shading():
    found = convert(series(bolus()))
    assert found.shape == (40, 24, 24)
    assert float((found[:, 4:-4, 4:-4] - bolus()[:, None, None]).abs().max()) < 0.01


def test_scale_of_the_scanner_cancels():
    assert torch.allclose(convert(series(bolus())), convert(series(bolus(), scale=37.0)), atol=1e-4)


def test_without_proton_density_native_t1_sets_the_scale():
    frames = series(bolus(), n_proton_density=0)
    found = convert(frames, n_proton_density=0, proton_density=None)
    assert float((found[:, 4:-4, 4:-4] - bolus()[:, None, None]).abs().max()) < 0.02


def test_noise_before_contrast_is_kept_negative_too():
    generator = torch.Generator().manual_seed(0)
    frames = series(bolus())
    noisy = frames + 1.5 * torch.randn(frames.shape, generator=generator)
    before = convert(noisy)[:10]
    assert float(before.min()) < 0.0
    assert float(before.mean().abs()) < 1e-3


def test_air_is_nan_and_muscle_next_to_it_is_not():
    frames = series(bolus())
    frames[:, :, :8] = 1.0
    found = convert(frames)
    assert bool(found[:, :, 2].isnan().all())
    assert bool(found[:, :, 10:].isfinite().all())


@pytest.mark.parametrize("onset", [0, 1])
def test_contrast_in_the_first_frames_is_refused(onset):
    with pytest.raises(CannotQuantifyError) as refused:
        convert(series(bolus(onset=0)[1:] if onset == 0 else bolus(onset=0)))
    assert refused.value.code is Code.BOLUS_NOT_COVERED


def test_no_contrast_at_all_is_refused():
    generator = torch.Generator().manual_seed(1)
    flat = series(torch.zeros(40, dtype=torch.float64))
    with pytest.raises(CannotQuantifyError) as refused:
        convert(flat + 3.0 * torch.randn(flat.shape, generator=generator))
    assert refused.value.code is Code.BOLUS_NOT_COVERED


def test_all_zero_frames_are_refused():
    with pytest.raises(CannotQuantifyError):
        convert(torch.zeros(43, 24, 24))


def test_conversion_leaves_its_input_alone():
    frames = series(bolus())
    before = frames.clone()
    convert(frames)
    assert torch.equal(frames, before)


def test_muscle_takes_its_scale_from_muscle_and_not_from_the_fat_beside_it() -> None:
    frames = torch.full((6, 24, 24), 100.0)
    frames[:, :, 12:] = 600.0
    muscle = torch.zeros(24, 24, dtype=torch.bool)
    muscle[:, 8:12] = True
    options = {"n_pre_contrast": 4, "spacing_mm": (2.0, 2.0)}
    assert float(native_signal(frames, **options)[12, 11]) > 200.0
    found = native_signal(frames, muscle=muscle, **options)
    torch.testing.assert_close(found[muscle], torch.full((96,), 100.0))
    torch.testing.assert_close(found[~muscle], native_signal(frames, **options)[~muscle])
    none = native_signal(frames, muscle=torch.zeros_like(muscle), **options)
    assert torch.equal(none, native_signal(frames, **options))
