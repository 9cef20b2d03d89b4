"""The wide range: whole, without folds, with the truth that it promises."""

import dataclasses

import pytest
import torch

from models.phantom import Breathing, PhantomState, Protocol, make_exam
from models.phantom.bolus import draw_wide_blood_curves
from models.phantom.contours import contour_points
from models.phantom.heart import HeartSection
from models.phantom.heart_variety import draw_wide_heart
from models.phantom.inversion import newton_inverse, without_folds
from models.phantom.motion import displacement_px, inverse, jacobian, sample
from models.phantom.patient import draw_patient
from models.phantom.perfusion import draw_wide_flow_pattern
from models.phantom.randomness import stream
from models.phantom.rhythm import draw_wide_rhythm
from models.phantom.scan import scan
from models.phantom.scene import set_scene
from models.phantom.series import SeriesPlan
from models.phantom.shapes import grid_mm
from models.phantom.tissues import Tissue
from models.phantom.variety import Variety

SEEDS = range(5000, 5008)


def wide(seed, *, matrix=96, beyond=False):
    return Protocol(
        matrix=(matrix, matrix),
        spacing_mm=288.0 / matrix,
        arterial_matrix=(48, 64),
        n_saturation_recovery=18,
        breathing=list(Breathing)[seed % len(Breathing)],
        breathing_range_mm=(20.0, 25.0) if beyond else (4.0, 20.0),
        variety=Variety.WIDE,
        anatomy_beyond=beyond,
    )


def scene_of(seed, *, index=None, matrix=96, beyond=False):
    protocol = wide(seed, matrix=matrix, beyond=beyond)
    patient = draw_patient(seed, state=PhantomState.STRESS, protocol=protocol)
    return set_scene(patient, SeriesPlan.of_slice(protocol, seed % 3 if index is None else index))


@pytest.fixture(scope="module")
def exams():
    return [make_exam(seed, protocol=wide(seed, matrix=72)) for seed in SEEDS]


def hearts(n_hearts):
    return [
        draw_wide_heart(stream(seed, "heart"), field_of_view_mm=(288.0, 288.0))
        for seed in range(n_hearts)
    ]


def dice(one, two):
    return float(2.0 * (one & two).sum() / (one.sum() + two.sum()).clamp_min(1))


@pytest.mark.parametrize(
    ("seed", "known"),
    [
        (1, (245.44581604003906, 304.018798828125, 352, 3.266378164291382, 174.0438232421875)),
        (2, (217.68270874023438, 284.5203857421875, 310, 2.9328396320343018, 160.85247802734375)),
    ],
)
def test_the_usual_patient_is_as_ever(seed, known):
    """The demo of the documents; these figures were written down before there was any other."""
    patient = draw_patient(seed, state=PhantomState.STRESS, protocol=Protocol())
    series = scan(patient, SeriesPlan.of_slice(patient.protocol, 1))
    arterial = scan(patient, SeriesPlan.of_arterial_input(patient.protocol))
    truth = series.truth
    found = (
        float(series.frames.mean()),
        float(truth.motion_free_frames.std()),
        int(truth.reference_myocardium.sum()),
        float(truth.displacement.abs().max()),
        float(arterial.frames.mean()),
    )
    assert found == pytest.approx(known, rel=1e-6)
    assert float(truth.through_plane_mm.abs().max()) == 0.0


@pytest.mark.parametrize("beyond", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_motion_does_not_fold_and_is_undone_by_its_inverse(seed, beyond):
    scene = scene_of(seed, beyond=beyond)
    assert float(jacobian(scene.displacement).min()) > 0.2
    backward = scene.inverse_displacement
    assert float((backward + sample(scene.displacement, backward)).abs().max()) < 0.01
    forward = scene.displacement
    inside = (slice(None), slice(None), slice(16, -16), slice(16, -16))
    # Bilinear sampling of the inverse costs a little where it bends.
    assert float((forward + sample(backward, forward))[inside].abs().max()) < 0.2


def test_newton_and_plain_iteration_agree_on_gentle_motion():
    patient = draw_patient(1, state=PhantomState.STRESS, protocol=Protocol())
    scene = set_scene(patient, SeriesPlan.of_slice(patient.protocol, 1))
    plain = inverse(scene.displacement)
    assert float((newton_inverse(scene.displacement) - plain).abs().max()) < 3e-3


def test_motion_that_would_fold_is_made_milder_and_no_other():
    scene = scene_of(5001)
    spacing_mm = (3.0, 3.0)
    modes = torch.zeros(1, 2, 96, 96)
    modes[0, 0] = torch.sin(torch.arange(96.0) / 5.0)[:, None]
    gentle = without_folds(torch.tensor([[3.0], [40.0]]), modes, spacing_mm)
    assert float(gentle[0, 0]) == 3.0
    assert 5.0 < float(gentle[1, 0]) < 40.0
    assert float(jacobian(displacement_px(gentle, modes, spacing_mm)).min()) > 0.2
    assert scene.amplitudes.shape[1] == 8 + len(scene.patient.body.pushes)


def test_wide_exams_are_whole(exams):
    for exam in exams:
        for series in (*exam.slices, exam.arterial_input):
            truth = series.truth
            assert bool(torch.isfinite(series.frames).all())
            assert truth.inverse_displacement.shape == truth.displacement.shape
            assert bool(torch.isfinite(truth.inverse_displacement).all())
            assert truth.through_plane_mm.shape == series.time_s.shape
            assert int(truth.reference_myocardium.sum()) > 0


def test_the_same_seed_gives_the_same_wide_exam(exams):
    again = make_exam(SEEDS[1], protocol=wide(SEEDS[1], matrix=72))
    assert torch.equal(again.slices[1].frames, exams[1].slices[1].frames)


def test_masks_move_with_the_heart_in_the_plane(exams):
    scores = []
    for exam in exams:
        truth = exam.slices[0].truth
        in_plane = truth.through_plane_mm.abs() < 1.0
        moved = sample(
            truth.reference_left_ventricle.float().expand(len(in_plane), 1, -1, -1),
            truth.inverse_displacement,
        )[:, 0]
        pairs = zip(moved[in_plane] > 0.5, truth.left_ventricle[in_plane], strict=True)
        scores += [dice(*pair) for pair in pairs]
    assert sum(scores) / len(scores) > 0.95


def test_outlines_lie_on_the_edge_of_the_masks(exams):
    """Just inside the outer outline there is left ventricle, just outside none."""
    for exam in exams:
        for series in exam.slices:
            truth = series.truth
            if not len(truth.endocardium_px):
                continue
            left = truth.reference_left_ventricle
            covered = (left | truth.reference_myocardium).float()[None, None]
            centre = torch.nonzero(left).float().mean(0)
            outside = truth.epicardium_px - centre
            unit = outside / outside.norm(dim=1, keepdim=True)
            within = at(covered, truth.epicardium_px - 1.2 * unit)
            beyond = at(covered, truth.epicardium_px + 1.2 * unit)
            assert float((within > 0.5).float().mean()) > 0.9
            assert float((beyond < 0.5).float().mean()) > 0.9
            assert (
                float((at(left.float()[None, None], truth.endocardium_px) - 0.5).abs().mean())
                < 0.45
            )


def at(image, points):
    most = torch.tensor([image.shape[-2] - 1.0, image.shape[-1] - 1.0])
    where = (2.0 * points / most - 1.0).flip(-1)[None, None]
    return torch.nn.functional.grid_sample(image, where, align_corners=True)[0, 0, 0]


def test_some_rings_are_open_at_the_base_and_closed_below():
    opened = [heart for heart in hearts(40) if heart.outflow is not None]
    assert 8 < len(opened) < 32
    for heart in opened:
        base, mid = (HeartSection(heart=heart, offset_mm=offset) for offset in (0.0, 20.0))
        angle = torch.linspace(-3.14, 3.14, 100)[None]
        assert float(base.wall_thickness_mm(angle).min()) < 0.1
        assert float(mid.wall_thickness_mm(angle).min()) > 1.0
        points = contour_points(base, (144, 144), (2.0, 2.0))[1]
        assert len(points) < len(contour_points(mid, (144, 144), (2.0, 2.0))[1])


def test_some_apical_slices_have_no_cavity():
    apical = [HeartSection(heart=heart, offset_mm=40.0) for heart in hearts(60)]
    closed = [section for section in apical if section.is_closed]
    assert 2 < len(closed) < 30
    grid = grid_mm((96, 96), (3.0, 3.0))
    for section in closed:
        assert float(section.left_cavity(*grid).min()) > 0.0
        assert float(section.left_outline(*grid).min()) < 0.0
        assert contour_points(section, (96, 96), (3.0, 3.0))[0].shape == (0, 2)


def test_hearts_lie_in_every_direction_and_of_every_size():
    drawn = hearts(60)
    angles = torch.tensor([heart.right_ventricle_angle_rad for heart in drawn])
    assert {int(part) for part in torch.div(angles + 3.15, 1.575).floor()} == {0, 1, 2, 3}
    assert {heart.handedness for heart in drawn} == {-1.0, 1.0}
    sizes = [heart.cavity_radius_mm + heart.wall_mm for heart in drawn]
    assert min(sizes) < 26.0
    assert max(sizes) > 40.0


def test_breathing_brings_another_section_into_the_plane_of_some(exams):
    away = [float(exam.slices[0].truth.through_plane_mm.abs().max()) for exam in exams]
    assert any(distance == 0.0 for distance in away)
    assert any(distance > 3.0 for distance in away)
    scene = next(
        scene for scene in map(scene_of, SEEDS) if float(scene.through_plane_mm.abs().max()) > 3.0
    )
    assert scene.other_picture is not None
    assert not torch.equal(scene.other_picture.papillary, scene.picture.papillary)
    vessels = scene.picture.tissues.index(Tissue.LUNG_VESSEL)
    assert not torch.equal(scene.other_picture.weights[vessels], scene.picture.weights[vessels])


def test_rhythms_range_from_slow_to_fast_and_stumble():
    drawn = [
        draw_wide_rhythm(stream(seed, "r"), state=state, n_beats=60, shortest_s=0.3)
        for seed in range(30)
        for state in PhantomState
    ]
    means = [float(rhythm.interval_s.median()) for rhythm in drawn]
    assert min(means) < 0.6
    assert max(means) > 1.3
    assert {int(rhythm.is_ectopic.sum()) for rhythm in drawn} > {0, 1, 2}
    assert all(float(rhythm.interval_s.min()) >= 0.35 - 1e-9 for rhythm in drawn)
    assert not any(bool(rhythm.is_ectopic[0]) for rhythm in drawn)


def test_wide_flow_stays_where_uptake_is_computed():
    angle, depth = torch.meshgrid(
        torch.linspace(-3.14, 3.14, 60), torch.linspace(0.0, 1.0, 5), indexing="ij"
    )
    slices = set()
    for seed in range(30):
        for state in PhantomState:
            pattern = draw_wide_flow_pattern(stream(seed, "f"), state=state, n_slices=3)
            slices.add(len(pattern.defect_slices))
            for index in range(3):
                flow = pattern.flow_ml_min_g(index, angle, depth)
                assert float(flow.min()) >= 0.3
                assert float(flow.max()) <= 1.25 * pattern.healthy_ml_min_g
    assert slices == {0, 1, 2, 3}


def test_the_bolus_of_a_wide_exam_peaks_within_it():
    for seed in range(20):
        for duration_s in (25.0, 70.0):
            blood = draw_wide_blood_curves(
                stream(seed, "b"), state=PhantomState.REST, duration_s=duration_s
            )
            peak_s = float(blood.time_s[blood.left_ventricle.argmax()])
            assert float(blood.time_s[blood.right_ventricle.argmax()]) < peak_s
            assert peak_s < 0.75 * duration_s


def test_gasps_are_few_and_deep():
    protocol = dataclasses.replace(
        Protocol(), breathing=Breathing.GASPS, breathing_range_mm=(10.0, 10.0)
    )
    for seed in range(5):
        trace = draw_patient(seed, state=PhantomState.STRESS, protocol=protocol).body.trace
        depth = trace.displacement_mm.abs()
        assert 8.0 < float(depth.max()) < 15.0
        assert float((depth > 4.0).double().mean()) < 0.3


def test_a_mirrored_wide_exam_keeps_truth_and_images_together():
    protocol = wide(5001, matrix=48)
    plain = make_exam(5001, protocol=protocol).slices[1].truth
    flipped = make_exam(5001, protocol=dataclasses.replace(protocol, mirrored=True)).slices[1].truth
    assert torch.equal(flipped.through_plane_mm, plain.through_plane_mm)
    assert torch.equal(
        flipped.inverse_displacement[:, 1], -plain.inverse_displacement[:, 1].flip(-1)
    )
    assert torch.allclose(flipped.epicardium_px[:, 1], 47.0 - plain.epicardium_px[:, 1])
    assert torch.equal(flipped.epicardium_px[:, 0], plain.epicardium_px[:, 0])
