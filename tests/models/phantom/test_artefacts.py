"""Artefacts obey their physics: where ghosts lie, what folding keeps, how strong noise is."""

import dataclasses
import math

import pytest
import torch

from models.phantom import Protocol, make_exam
from models.phantom.acquisition import add_noise
from models.phantom.artefacts import (
    Artefacts,
    add_aliases,
    add_ghost,
    noise_amplification,
    share_views,
    spoil,
)
from models.phantom.coils import CoilShading, draw_coil
from models.phantom.off_resonance import draw_field_map, mix_offsets
from models.phantom.randomness import stream
from models.phantom.reconstruction import Reconstruction, fold_over, noise_window
from models.phantom.shapes import grid_mm
from models.physics import BalancedSteadyState, SaturationRecovery

ALONG = [-2, -1]


def point(matrix=(32, 24), at=(5, 7)):
    image = torch.zeros(1, *matrix, dtype=torch.complex64)
    image[0, at[0], at[1]] = 1.0
    return image


@pytest.mark.parametrize("along", ALONG)
def test_the_ghost_lies_at_half_the_field_of_view(along):
    seen = add_ghost(point(), torch.tensor([0.3]), along).abs()
    ghost = point().abs().roll(point().shape[along] // 2, dims=along)
    known = math.cos(0.3) * point().abs() + math.sin(0.3) * ghost
    assert torch.allclose(seen, known, atol=1e-6)


@pytest.mark.parametrize("along", ALONG)
def test_the_ghost_is_a_phase_between_even_and_odd_lines(along):
    generator = torch.Generator().manual_seed(1)
    image = torch.complex(*torch.randn(2, 3, 16, 20, generator=generator))
    lines = torch.fft.fft(image, dim=along)
    sign = (-1.0) ** torch.arange(image.shape[along])
    turned = torch.exp(0.2j * sign)
    turned = turned[:, None] if along == -2 else turned
    known = torch.fft.ifft(lines * turned, dim=along)
    assert torch.allclose(add_ghost(image, torch.full((3,), 0.2), along), known, atol=1e-5)


def test_aliases_lie_at_the_reduced_field_of_view():
    seen = add_aliases(point(), torch.tensor([0.1 + 0.0j]), 3, -1).abs()[0]
    assert torch.nonzero(seen).tolist() == [[5, 7], [5, 15], [5, 23]]
    assert float(seen[5, 15]) == pytest.approx(0.1)


@pytest.mark.parametrize("axis", [0, 1])
def test_wrap_around_keeps_every_signal_and_makes_the_object_periodic(axis):
    fine = torch.rand(2, 48, 40, generator=torch.Generator().manual_seed(1))
    folded = fold_over(fine, 6, axis)
    assert folded.shape[axis + 1] == fine.shape[axis + 1] - 12
    assert torch.allclose(folded.sum((1, 2)), fine.sum((1, 2)), rtol=1e-5)
    lines = torch.fft.fft(fine, dim=axis + 1)
    period = fine.shape[axis + 1] - 12
    # The same by hand: every line of the object modulo the period.
    by_hand = torch.zeros_like(folded)
    for index in range(fine.shape[axis + 1]):
        target = by_hand.select(axis + 1, (index - 6) % period)
        target += fine.select(axis + 1, index)
    assert torch.allclose(folded, by_hand, atol=1e-6)
    assert torch.allclose(fold_over(fine, 0, axis), fine)
    assert lines.shape == fine.shape


def test_a_folded_exam_is_delivered_smaller_with_truth_in_place(small):
    plain = make_exam(4, protocol=small).slices[1]
    reconstruction = Reconstruction(fold_over_fraction=1 / 4, phase_encoding_axis=1)
    folded = make_exam(4, protocol=dataclasses.replace(small, reconstruction=reconstruction))
    series = folded.slices[1]
    assert series.frames.shape == (27, 64, 48)
    assert series.truth.noise_free_frames.shape == (27, 64, 48)
    inside = slice(8, 56)
    for name in ("displacement", "myocardium", "flow_ml_min_g", "concentration_mmol_l"):
        known = getattr(plain.truth, name)[..., inside]
        assert torch.equal(getattr(series.truth, name).nan_to_num(), known.nan_to_num())
    assert folded.arterial_input.frames.shape == (27, 32, 24)


def test_a_matrix_that_folding_would_cut_is_refused(small):
    with pytest.raises(ValueError, match="cuts pixels"):
        dataclasses.replace(small, reconstruction=Reconstruction(fold_over_fraction=1 / 9))


def banded(small, offset_hz):
    readout = BalancedSteadyState(
        repetition_time_s=0.003, flip_angle_rad=math.radians(45.0), pulses_before_centre=20
    )
    sequence = SaturationRecovery(saturation_delay_s=0.05, residual_fraction=0.0, readout=readout)
    artefacts = Artefacts(off_resonance_hz=offset_hz, coil=CoilShading.FLAT)
    return dataclasses.replace(small, perfusion=sequence, artefacts=artefacts)


def test_bands_are_dark_where_the_field_is_off_by_half_of_1_over_tr(small):
    protocol = banded(small, 220.0)
    clean, dark = (
        make_exam(4, protocol=variant).slices[1].truth.motion_free_frames[-1]
        for variant in (banded(small, 0.0), protocol)
    )
    # A fine grid of the slice itself, as coarse as its pixels.
    field = draw_field_map(stream(4, "field map"), grid_mm((128, 128), (2.25, 2.25)), 220.0)[
        ::2, ::2
    ].abs()
    bright = clean > 0.3 * clean.max()
    ratio = (dark / dark.median()) / (clean / clean.median())
    band = bright & ((field - 1.0 / 0.006).abs() < 20.0)
    calm = bright & (field < 40.0)
    assert int(band.sum()) > 10 < int(calm.sum())
    assert float(ratio[band].median()) < 0.65 * float(ratio[calm].median())


def test_shares_of_offsets_sum_to_one_and_tell_the_field():
    field = torch.linspace(-400.0, 400.0, 101).reshape(1, 101)
    mixture = mix_offsets(field, 0.0025)
    assert torch.allclose(mixture.share.sum(0), torch.ones(1, 101), atol=1e-6)
    at_node = mix_offsets(torch.full((1, 1), mixture.offset_hz[3]), 0.0025)
    assert float(at_node.share[3]) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("asked", [5.0, 20.0, 40.0])
@pytest.mark.parametrize("filters_noise", [False, True])
def test_the_signal_to_noise_ratio_is_the_one_asked_for(small, asked, filters_noise):
    reconstruction = Reconstruction(filters_noise=filters_noise)
    protocol = dataclasses.replace(small, signal_to_noise=asked, reconstruction=reconstruction)
    series = make_exam(4, protocol=protocol).slices[0]
    truth = series.truth
    bright = truth.noise_free_frames > 8.0 * truth.noise_standard_deviation
    found = (series.frames - truth.noise_free_frames)[bright].std()
    assert float(found) == pytest.approx(truth.noise_standard_deviation, rel=0.05)
    healthy = truth.reference_myocardium & ~truth.defect
    peak = truth.motion_free_frames[3:, healthy].amax(0).median()
    assert float(peak) / truth.noise_standard_deviation == pytest.approx(asked, rel=0.2)


def test_filtered_noise_has_the_power_asked_for_inside_its_window():
    reconstruction = Reconstruction(phase_encoding_fraction=0.5, phase_encoding_axis=1)
    window = noise_window((64, 48), reconstruction)
    noise = add_noise(torch.Generator().manual_seed(1), torch.full((9, 64, 48), 90.0), 2.0)
    coloured = add_noise(
        torch.Generator().manual_seed(1), torch.full((9, 64, 48), 90.0), 2.0, window=window
    )
    assert float(coloured.std()) == pytest.approx(float(noise.std()), rel=0.05)
    power = torch.fft.fft2(coloured - coloured.mean()).abs().square().mean(0)
    assert float(power[:, 14:34].sum() / power.sum()) < 1e-3


def test_noise_is_amplified_around_the_middle_and_one_at_the_heart():
    grid = grid_mm((64, 64), (4.0, 4.0))
    factor = noise_amplification(Artefacts(g_factor=2.0), grid, (2.0, 6.0), 0)
    assert float(factor[32, 33]) == pytest.approx(1.0, abs=1e-3)
    assert float(factor[0, 0]) < 0.75
    assert float(noise_amplification(Artefacts(), grid, (2.0, 6.0), 0).std()) == 0.0


@pytest.mark.parametrize("shading", list(CoilShading))
def test_coils_are_smooth_and_one_at_the_heart(shading):
    grid = grid_mm((144, 144), (2.0, 2.0))
    field = draw_coil(stream(1, "coil"), shading, grid, (1.0, 11.0), 3.0)
    assert float(field[72, 77]) == pytest.approx(1.0, abs=0.02)
    assert float(field.log().diff(dim=0).abs().max()) < 0.1
    if shading not in (CoilShading.MILD, CoilShading.FLAT):
        assert float(field.log().abs().max()) == pytest.approx(math.log(3.0), rel=1e-4)


def test_spoiling_is_reproducible_and_still_and_moving_share_it():
    frames = torch.rand(4, 32, 32, generator=torch.Generator().manual_seed(1))
    artefacts = Artefacts(
        ghost_phase_rad=0.1, residual_aliasing=0.1, incoherent_aliasing=0.2, streaks=0.2
    )
    one, two = (spoil(frames, artefacts, 0, stream(1, "artefacts")) for _ in range(2))
    assert torch.equal(one, two)
    blank = spoil(torch.zeros_like(frames), artefacts, 0, stream(1, "artefacts"))
    assert float(blank.abs().max()) == 0.0
    assert torch.allclose(
        spoil(2.0 * frames, artefacts, 0, stream(1, "artefacts")), 2.0 * one, atol=1e-5
    )


def test_undersampling_leaves_the_mean_and_disturbs_the_detail():
    frames = torch.rand(4, 32, 32, generator=torch.Generator().manual_seed(1))
    for artefacts in (Artefacts(incoherent_aliasing=0.3), Artefacts(streaks=0.3)):
        seen = spoil(frames, artefacts, 1, stream(1, "artefacts"))
        phase = spoil(frames, Artefacts(), 1, stream(1, "artefacts"))
        assert 0.01 < float((seen - phase).abs().mean()) < 0.2


def test_shared_views_mix_neighbouring_frames_and_leave_a_steady_series_alone():
    generator = torch.Generator().manual_seed(1)
    image = torch.complex(*torch.randn(2, 5, 16, 20, generator=generator))
    steady = image[:1].expand(5, -1, -1)
    assert torch.allclose(share_views(steady, 0.5, -1), steady, atol=1e-5)
    mixed = share_views(image, 0.5, -2)
    lines, own = torch.fft.fft(mixed, dim=-2), torch.fft.fft(image, dim=-2)
    assert torch.allclose(lines[2, 8], 0.5 * own[2, 8] + 0.25 * (own[1, 8] + own[3, 8]), atol=1e-4)
    assert torch.allclose(lines[:, 0], own[:, 0], atol=1e-4)
    assert torch.equal(share_views(image[:1], 0.5, -1), image[:1])


def test_gains_change_whole_frames(small):
    jittered = dataclasses.replace(small, artefacts=Artefacts(gain_jitter=0.05))
    plain, shaken = (
        make_exam(4, protocol=protocol).slices[0].truth.motion_free_frames[:, 28:36, 28:36]
        for protocol in (small, jittered)
    )
    ratio = shaken / plain
    assert float(ratio.mean((1, 2)).std() / ratio.mean()) > 0.02
    assert float(ratio.std((1, 2)).max()) < 1e-3


def test_the_dark_rim_lies_in_the_wall_and_comes_with_the_bolus(small):
    rimmed = dataclasses.replace(small, artefacts=Artefacts(dark_rim=0.4))
    plain, dark = (make_exam(4, protocol=protocol).slices[0].truth for protocol in (small, rimmed))
    lost = plain.motion_free_frames / plain.motion_free_frames.max()
    lost = lost - dark.motion_free_frames / dark.motion_free_frames.max()
    wall = plain.reference_myocardium
    blood = plain.reference_left_ventricle
    far = ~(torch.nn.functional.max_pool2d((wall | blood)[None].float(), 5, 1, 2)[0] > 0)
    peak = int(lost[:, wall].mean(1).argmax())
    assert float(lost[peak][wall].mean()) > 5.0 * float(lost[peak][far].abs().mean())
    assert float(lost[:6].abs().max()) < 0.02 * float(lost.max())


def test_fat_is_shifted_along_the_frequency_axis(small):
    shifted = dataclasses.replace(small, artefacts=Artefacts(fat_shift_px=2.0))
    plain, moved = (
        make_exam(4, protocol=protocol).slices[0].truth.motion_free_frames[0]
        for protocol in (small, shifted)
    )
    assert float((plain - moved).abs().max()) > 0.1 * float(plain.max())


def test_grey_values_are_whole_numbers_of_the_scale_asked_for(small):
    protocol = dataclasses.replace(
        small, reconstruction=Reconstruction(rounds=True, brightest=500.0)
    )
    series = make_exam(4, protocol=protocol).arterial_input
    assert torch.equal(series.frames, series.frames.round())
    assert float(series.truth.noise_free_frames.max()) == pytest.approx(500.0)


def test_two_arterial_echoes_tell_the_transverse_rate(small):
    protocol = dataclasses.replace(small, arterial_second_echo_time_s=0.0027)
    exam = make_exam(4, protocol=protocol)
    first, second = exam.arterial_input, exam.arterial_input_second_echo
    assert second.echo_number == 2
    assert torch.equal(first.truth.displacement, second.truth.displacement)
    assert not torch.equal(first.frames - first.truth.noise_free_frames, second.frames)
    cavity = first.truth.reference_left_ventricle
    middle = torch.nn.functional.max_pool2d((~cavity).float()[None], 3, 1, 1)[0] == 0
    one, two = (echo.truth.motion_free_frames[:, middle].mean(1) for echo in (first, second))
    rate_1_s = torch.log(one / two) / 0.002
    known = 5.9 * first.truth.concentration_mmol_l[:, cavity].nanmean(1)
    dense = known > 0.4 * known.max()  # before, the ringing of the right ventricle is seen
    assert int(dense.sum()) > 4
    assert torch.allclose(rate_1_s[dense], known[dense], rtol=0.03)
    assert make_exam(4, protocol=small).arterial_input_second_echo is None


def test_twice_the_dose_is_twice_the_concentration(small):
    one, two = (
        make_exam(4, protocol=dataclasses.replace(small, dose_fraction=dose)) for dose in (1.0, 2.0)
    )
    assert torch.allclose(
        two.arterial_concentration_mmol_l, 2.0 * one.arterial_concentration_mmol_l
    )
    known, found = (exam.slices[0].truth.concentration_mmol_l.nan_to_num() for exam in (one, two))
    assert torch.allclose(found, 2.0 * known, atol=1e-5)


def test_exams_without_proton_density_frames(small):
    exam = make_exam(4, protocol=dataclasses.replace(small, n_proton_density=0))
    for series in (*exam.slices, exam.arterial_input):
        assert series.frames.shape[0] == 24
        assert bool(torch.isfinite(series.frames).all())


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (Reconstruction, {"phase_encoding_axis": 2}),
        (Reconstruction, {"phase_encoding_fraction": 0.0}),
        (Reconstruction, {"filter_flat_fraction": 1.0}),
        (Reconstruction, {"fold_over_fraction": 0.6}),
        (Artefacts, {"g_factor": 0.5}),
        (Artefacts, {"dark_rim": 2.0}),
        (Protocol, {"dose_fraction": 0.0}),
        (Protocol, {"arterial_second_echo_time_s": 0.0001}),
    ],
)
def test_settings_without_sense_are_refused(kind, change):
    with pytest.raises(ValueError, match="must"):
        kind(**change)
