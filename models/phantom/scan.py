"""Scanning the series of a patient."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from models.phantom.answers import series_truth
from models.phantom.folding import on_painted_matrix, unfold_truth
from models.phantom.imaging import SeriesImages, image
from models.phantom.patient import Patient
from models.phantom.scene import Scene, set_scene
from models.phantom.series import PhantomSeries, SeriesPlan
from models.phantom.truth import SeriesTruth


def scan(patient: Patient, plan: SeriesPlan) -> PhantomSeries:
    """Acquire one series and write down its truth."""
    return scan_echoes(patient, (plan,))[0]


def scan_echoes(patient: Patient, plans: Sequence[SeriesPlan]) -> tuple[PhantomSeries, ...]:
    """Acquire the echoes of one series, which have motion, gain and noise level in common."""
    scene = set_scene(patient, plans[0])
    images = [image(scene)]
    scenes = [scene] + [replace(scene, plan=plan) for plan in plans[1:]]
    images += [image(later, first_echo=images[0]) for later in scenes[1:]]
    return tuple(_series(*pair) for pair in zip(scenes, images, strict=True))


def _series(scene: Scene, images: SeriesImages) -> PhantomSeries:
    patient, plan = scene.patient, scene.plan
    reconstruction = patient.protocol.reconstruction
    known = series_truth(scene, on_painted_matrix(images, plan.matrix, reconstruction))
    series = PhantomSeries(
        frames=images.frames,
        time_s=scene.time_s,
        n_proton_density=patient.protocol.n_proton_density,
        spacing_mm=plan.spacing_mm,
        thickness_mm=patient.protocol.thickness_mm,
        offset_mm=plan.offset_mm,
        trigger_delay_s=plan.trigger_delay_s,
        sequence=plan.sequence,
        proton_density=plan.proton_density,
        echo_number=plan.echo_number,
        truth=unfold_truth(known, plan.matrix, reconstruction),
    )
    return _mirror(series) if patient.protocol.mirrored else series


def _mirror(series: PhantomSeries) -> PhantomSeries:
    """Swap left and right in images and truth."""
    truth, n_columns = series.truth, series.frames.shape[-1]
    planes: dict[str, Any] = {
        name: value.flip(-1)
        for name in SeriesTruth.__dataclass_fields__
        if isinstance(value := getattr(truth, name), Tensor)
        and tuple(value.shape[-2:]) == tuple(series.frames.shape[-2:])
    }
    opposite = torch.tensor([1.0, -1.0])
    for name in ("displacement", "inverse_displacement"):
        planes[name] = planes[name] * opposite[:, None, None]
    for name in ("endocardium_px", "epicardium_px"):
        planes[name] = getattr(truth, name) * opposite + torch.tensor([0.0, n_columns - 1.0])
    return replace(series, frames=series.frames.flip(-1), truth=replace(truth, **planes))
