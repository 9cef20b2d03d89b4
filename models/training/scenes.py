"""A pool of virtual slices to render training series from.

A scene is kept in millimetres on a coarse grid of its own: shares of the tissues in reference
position, the same for the slice that breathing brings into the plane, the motion of every beat, and
the signal of every tissue. Painting is done once; rendering, many times, is cheap.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from jaxtyping import Float, Int
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.phantom.acquisition import class_signals
from models.phantom.anatomy import SlicePicture, paint_slice
from models.phantom.heart import HeartSection
from models.phantom.patient import Patient, draw_patient
from models.phantom.protocol import Breathing, PhantomState, Protocol
from models.phantom.randomness import stream, uniform
from models.phantom.scene import Scene, fine_grid, set_scene
from models.phantom.series import SeriesPlan
from models.phantom.shapes import smooth_step
from models.phantom.tissues import Tissue
from models.phantom.uptake import class_properties
from models.phantom.variety import Variety
from models.physics import AGENTS

SPACING_MM = 1.5
FIELD_MM = 288.0
MOTION_SPACING_MM = 3.0
N_PROTON_DENSITY = 3
N_BEATS = 60
OTHER_SLICE_MM = (4.0, 10.0)
"""How far away the slice is that breathing brings into the plane."""
ANATOMY = ("left ventricle", "myocardium", "right ventricle")
"""The maps that a network learns; the left ventricle is everything inside the endocardium."""

Shares = Float[Tensor, "scene level class fine_row fine_column"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenePool:
    """Many scenes; `level` 0 is the planned slice, 1 the one that breathing brings into it."""

    tissues: Shares
    """Share of each class in each point, float16: the tissues, then the wall of the left ventricle
    as a mixture of its least and its best perfused parts."""
    anatomy: Float[Tensor, "scene level tissue fine_row fine_column"]
    """Share of left ventricle, myocardium and right ventricle, float16."""
    signals: Float[Tensor, "scene time class"]
    inverse_displacement: Float[Tensor, "scene time axis coarse_row coarse_column"]
    """Where a point of a frame lay in the reference, mm, float16."""
    blend: Float[Tensor, "scene time"]
    """How much of the other slice is seen, 0-1."""
    centre_mm: Float[Tensor, "scene axis"]
    """Of the left ventricle, from the middle of the field."""
    seed: Int[Tensor, " scene"]

    def __len__(self) -> int:
        return len(self.seed)

    def to(self, device: torch.device) -> "ScenePool":
        """Return the pool on another device."""
        moved = {entry.name: getattr(self, entry.name).to(device) for entry in fields(self)}
        return ScenePool(**moved)

    def save(self, file: Path) -> None:
        """Write the pool, so that a training run can be resumed without painting it again."""
        save_file({entry.name: getattr(self, entry.name) for entry in fields(self)}, file)

    @classmethod
    def load(cls, file: Path) -> "ScenePool":
        """Read a pool that `save` wrote."""
        return cls(**load_file(file))


def draw_pool(seeds: Sequence[int], *, on_scene: Callable[[int], None] | None = None) -> ScenePool:
    """Draw one slice of each of many patients.

    Parameters
    ----------
    seeds
        Patients. The same seeds give the same pool.
    on_scene
        Told how many scenes are done.

    """
    scenes = []
    for done, seed in enumerate(seeds, start=1):
        scenes.append(_draw(seed))
        if on_scene is not None:
            on_scene(done)
    return ScenePool(
        **{
            entry.name: torch.cat([getattr(scene, entry.name) for scene in scenes])
            for entry in fields(ScenePool)
        }
    )


def _draw(seed: int) -> ScenePool:
    """Draw a pool of one scene."""
    generator = stream(seed, "training scene")
    state = PhantomState.STRESS if uniform(generator, 0.0, 1.0) < 0.7 else PhantomState.REST
    patient = draw_patient(seed, state=state, protocol=_protocol(generator))
    index = int(uniform(generator, 0.0, float(patient.protocol.n_slices)))
    scene = set_scene(patient, SeriesPlan.of_slice(patient.protocol, index))
    return _pack(patient, scene, index, generator)


def _protocol(generator: torch.Generator) -> Protocol:
    n_coarse = round(FIELD_MM / MOTION_SPACING_MM)
    breathing = list(Breathing)[int(uniform(generator, 0.0, float(len(Breathing))))]
    deepest_mm = uniform(generator, 4.0, 20.0)
    return Protocol(
        matrix=(n_coarse, n_coarse),
        spacing_mm=MOTION_SPACING_MM,
        slice_distance_mm=uniform(generator, 14.0, 22.0),
        n_proton_density=N_PROTON_DENSITY,
        n_saturation_recovery=N_BEATS,
        breathing=breathing,
        breathing_range_mm=(0.5 * deepest_mm, deepest_mm),
        variety=Variety.WIDE,
    )


def _pack(patient: Patient, scene: Scene, index: int, generator: torch.Generator) -> ScenePool:
    """Keep what rendering needs; the wall is reduced to two classes."""
    n_tissues = len(scene.picture.tissues)
    here, other = scene.picture, _other_picture(patient, scene, index, generator)
    ladder = torch.linspace(0.0, 1.0, here.weights.shape[0] - n_tissues)
    signals = _signals(patient, scene)
    most = _occupied(here.weights[n_tissues:])
    outside = signals.new_zeros(len(signals), len(Tissue))
    outside[:, _places(here)] = signals[:, :n_tissues]
    wall = torch.stack([signals[:, n_tissues], signals[:, n_tissues + most]], dim=1)
    ladder = (ladder / ladder[most].clamp_min(1e-6)).clamp(max=1.0)
    moved = scene.inverse_displacement
    depth = torch.hypot(moved[:, 0], moved[:, 1]).flatten(1).amax(dim=1)
    share = uniform(generator, -0.5, 0.8)
    return ScenePool(
        tissues=torch.stack([_classes(here, ladder), _classes(other, ladder)])[None].half(),
        anatomy=torch.stack([_maps(here), _maps(other)])[None].half(),
        signals=torch.cat([outside, wall], dim=1)[None].float(),
        inverse_displacement=(MOTION_SPACING_MM * scene.inverse_displacement)[None].half(),
        blend=max(share, 0.0) * smooth_step(depth / depth.max().clamp_min(2.0))[None],
        centre_mm=torch.tensor([scene.section.centre_mm]),
        seed=torch.tensor([patient.seed]),
    )


def _other_picture(
    patient: Patient, scene: Scene, index: int, generator: torch.Generator
) -> SlicePicture:
    away_mm = uniform(generator, *OTHER_SLICE_MM)
    away_mm *= -1 if uniform(generator, 0.0, 1.0) < 0.5 else 1
    section = HeartSection(heart=patient.heart, offset_mm=scene.plan.offset_mm + away_mm)
    return paint_slice(
        section,
        patient.thorax,
        patient.pattern,
        patient.curves,
        slice_index=index,
        grid=fine_grid(patient),
        generator=stream(patient.seed, "other texture"),
    )


def _signals(patient: Patient, scene: Scene) -> Float[Tensor, "time class"]:
    protocol = patient.protocol
    return class_signals(
        class_properties(scene.picture.tissues, patient.blood, patient.curves, protocol),
        time_s=scene.time_s,
        n_proton_density=protocol.n_proton_density,
        sequence=scene.plan.sequence,
        proton_density=scene.plan.proton_density,
        relaxivity_l_mmol_s=AGENTS[protocol.agent].relaxivity_l_mmol_s(protocol.field_strength_t),
    )


def _occupied(levels: Float[Tensor, "level row column"]) -> int:
    """Return the highest flow level that occurs."""
    return max(1, int((levels.flatten(1).sum(dim=1) > 1.0).nonzero()[-1, 0]))


def _classes(
    picture: SlicePicture, ladder: Float[Tensor, " level"]
) -> Float[Tensor, "class row column"]:
    """Return shares of the tissues, of least and of most flow."""
    n_tissues = len(picture.tissues)
    levels = picture.weights[n_tissues:]
    most = torch.einsum("l,lrc->rc", ladder, levels)
    wall = torch.stack([levels.sum(dim=0) - most, most])
    every = wall.new_zeros(len(Tissue), *wall.shape[1:])
    every[_places(picture)] = picture.weights[:n_tissues]
    return torch.cat([every, wall])


def _places(picture: SlicePicture) -> list[int]:
    """Return the place of each class of the picture among all tissues."""
    every = list(Tissue)
    return [every.index(tissue) for tissue in picture.tissues]


def _maps(picture: SlicePicture) -> Float[Tensor, "tissue row column"]:
    return torch.stack([picture.left_ventricle, picture.myocardium, picture.right_ventricle])
