"""Exams made to order have the flow, the defect, the arrival and the rhythm that were asked for."""

import math
from dataclasses import replace

import pytest
import torch

from models.phantom import AskedTissue, PhantomExam, Protocol, TissueModel, make_exam
from models.phantom.patient import Patient, draw_patient
from models.phantom.protocol import PhantomState

SMALL = Protocol(
    n_slices=1, matrix=(96, 96), arterial_matrix=(32, 32), n_saturation_recovery=24, spacing_mm=3.0
)


def _patient(protocol: Protocol) -> Patient:
    return draw_patient(3, state=PhantomState.STRESS, protocol=protocol)


def _exam(tissue: AskedTissue) -> PhantomExam:
    return make_exam(3, protocol=replace(SMALL, tissue=tissue))


@pytest.mark.parametrize("flow", [0.3, 5.0])
def test_flow_is_as_asked(flow: float) -> None:
    """Healthy flow and that of the defect, which keeps to half of it."""
    exam = _exam(AskedTissue(healthy_flow_ml_min_g=flow, defect_share=0.5, defect_width_mm=30.0))
    truth = exam.slices[0].truth
    found = truth.flow_ml_min_g
    healthy = found[truth.reference_myocardium & ~truth.defect].median()
    assert float(healthy) == pytest.approx(flow, rel=0.08)
    assert float(found[truth.defect].min()) == pytest.approx(0.5 * flow, rel=0.05)


def test_defect_has_the_width_asked_for() -> None:
    """Area over the thickness of the wall is the length of the arc."""
    truth = _exam(AskedTissue(defect_share=0.5, defect_width_mm=30.0)).slices[0].truth
    share = float(truth.defect.sum() / truth.reference_myocardium.sum())
    heart = _patient(SMALL).heart
    circumference_mm = math.tau * (heart.cavity_radius_mm + 0.5 * heart.wall_mm)
    assert share * circumference_mm == pytest.approx(30.0, rel=0.2)
    assert not bool(_exam(AskedTissue(defect_width_mm=0.0)).slices[0].truth.defect.any())


def test_arrival_and_model_reach_the_curves() -> None:
    """Later arrival shifts the curve; another model bends it."""
    base = AskedTissue(healthy_flow_ml_min_g=3.0, arrival_s=0.5)
    plain, late, mixed = (
        _patient(replace(SMALL, tissue=tissue)).curves
        for tissue in (
            base,
            replace(base, arrival_s=2.0),
            replace(base, model=TissueModel.TWO_COMPARTMENT),
        )
    )
    shift = round(1.5 / float(plain.time_s[1] - plain.time_s[0]))
    assert torch.allclose(
        plain.concentration_mmol_l[:, :-shift], late.concentration_mmol_l[:, shift:], atol=1e-6
    )
    gap = (plain.concentration_mmol_l - mixed.concentration_mmol_l).abs().max()
    assert float(gap) > 0.02 * float(plain.concentration_mmol_l.max())


def test_wide_exchange_differs_between_seeds() -> None:
    """Volumes and PS stay within the literature but leave the range of one patient."""
    protocol = replace(SMALL, tissue=AskedTissue(has_wide_exchange=True))
    drawn = [
        draw_patient(seed, state=PhantomState.STRESS, protocol=protocol).exchange
        for seed in range(8)
    ]
    volumes = [exchange.interstitial_volume for exchange in drawn]
    assert min(volumes) < 0.17
    assert max(volumes) > 0.22
    assert all(0.12 <= volume <= 0.35 for volume in volumes)


def test_heart_beats_at_the_rate_asked_for() -> None:
    """With as many gaps as triggers were missed."""
    rhythm = _patient(replace(SMALL, heart_rate_bpm=100.0, n_missed_beats=2)).rhythm
    assert float(rhythm.interval_s.median()) == pytest.approx(0.6, rel=0.02)
    assert int((rhythm.interval_s > 1.0).sum()) == 2


@pytest.mark.parametrize(
    "wrong", [{"healthy_flow_ml_min_g": 0.0}, {"defect_share": 1.5}, {"defect_width_mm": -1.0}]
)
def test_nonsense_is_refused(wrong: dict[str, float]) -> None:
    """Flow, share and width have ranges."""
    with pytest.raises(ValueError, match=r"flow|share|width"):
        AskedTissue(**wrong)
