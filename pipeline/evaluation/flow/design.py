"""The exams that flow is judged on: a clinical point, one factor at a time around it, anything.

Held-out seeds were never looked at while something was built; development seeds were.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from models.phantom import (
    AskedTissue,
    Breathing,
    PhantomExam,
    Protocol,
    TissueModel,
    make_exam,
    random_protocol,
)
from pipeline.evaluation.cases import Split
from pipeline.evaluation.flow.sequences import balanced, echo_planar


class Group(StrEnum):
    """Which set of exams one belongs to."""

    CLINICAL = "clinical"
    FACTOR = "factor"
    RANDOM = "random"


FIRST_SEED = {
    (Split.HELD_OUT, Group.RANDOM): 9660,
    (Split.HELD_OUT, Group.CLINICAL): 9760,
    (Split.HELD_OUT, Group.FACTOR): 9860,
    (Split.DEVELOPMENT, Group.RANDOM): 5000,
    (Split.DEVELOPMENT, Group.CLINICAL): 5040,
    (Split.DEVELOPMENT, Group.FACTOR): 5080,
}
DEFECT_WIDTH_MM = 10.0
CLINICAL_SIGNAL_TO_NOISE = 20.0
_REST = (0.8, 1.0)
_STRESS = (2.0, 2.5, 3.0)
_CLINICAL_FLOW = (2.5, 0.9, 3.0, 2.0, 0.8, 3.5)
"""Mostly stress: what a day brings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One exam to be made and analysed."""

    split: Split
    group: Group
    factor: str
    """What is varied; empty outside the factors."""
    level: str
    seed: int
    protocol: Protocol
    slices: tuple[int, ...]
    """Which slices are analysed."""
    has_arterial_series: bool = True
    """False withholds the series of its own, so that the cavity of a slice has to do."""

    def draw(self) -> PhantomExam:
        """Make the exam; the same bytes each time."""
        return make_exam(self.seed, protocol=self.protocol)


def clinical_protocol(tissue: TissueModel, flow_ml_min_g: float | None = None) -> Protocol:
    """Return the clinical point: the shipped protocol at SNR 20, a defect of 1 cm at half flow."""
    return Protocol(
        signal_to_noise=CLINICAL_SIGNAL_TO_NOISE,
        breathing=Breathing.FAILS,
        heart_rate_bpm=75.0,
        tissue=AskedTissue(
            model=tissue,
            healthy_flow_ml_min_g=flow_ml_min_g,
            defect_share=0.5,
            defect_width_mm=DEFECT_WIDTH_MM,
        ),
    )


def clinical_trials(split: Split, n_exams: int) -> tuple[Trial, ...]:
    """Return exams of the clinical point; flow and tissue model take turns."""
    models = tuple(TissueModel)
    return tuple(
        Trial(
            split=split,
            group=Group.CLINICAL,
            factor="",
            level="",
            seed=FIRST_SEED[split, Group.CLINICAL] + index,
            protocol=clinical_protocol(
                models[index % len(models)], _CLINICAL_FLOW[index % len(_CLINICAL_FLOW)]
            ),
            slices=(0, 1, 2),
        )
        for index in range(n_exams)
    )


def random_trials(split: Split, n_exams: int) -> tuple[Trial, ...]:
    """Return exams of random protocols and wide anatomy; the tissue models take turns."""
    models, trials = tuple(TissueModel), []
    for index in range(n_exams):
        seed = FIRST_SEED[split, Group.RANDOM] + index
        protocol = random_protocol(seed)
        tissue = AskedTissue(model=models[index % len(models)], has_wide_exchange=True)
        trials.append(
            Trial(
                split=split,
                group=Group.RANDOM,
                factor="",
                level="",
                seed=seed,
                protocol=replace(protocol, tissue=tissue),
                slices=(0, 1, 2),
            )
        )
    return tuple(trials)


def factor_trials(split: Split, factor: str, n_repeats: int) -> tuple[Trial, ...]:
    """Return one exam per level of a factor and patient; the levels share their patients."""
    return tuple(
        Trial(
            split=split,
            group=Group.FACTOR,
            factor=factor,
            level=level,
            seed=FIRST_SEED[split, Group.FACTOR] + repeat,
            protocol=change(clinical_protocol(TissueModel.PLUG_FLOW, 2.5)),
            slices=(1,),
            has_arterial_series=level != "single sequence",
        )
        for repeat in range(n_repeats)
        for level, change in FACTORS[factor].items()
    )


Change = Callable[[Protocol], Protocol]


def _tissue(**changes: object) -> Change:
    return lambda base: replace(base, tissue=replace(base.tissue, **changes))  # type: ignore[arg-type]  # named by the designs below


def _protocol(**changes: object) -> Change:
    return lambda base: replace(base, **changes)  # type: ignore[arg-type]  # named by the designs below


FACTORS: Mapping[str, Mapping[str, Change]] = MappingProxyType(
    {
        "MBF": {
            f"{flow:g}": _tissue(healthy_flow_ml_min_g=flow)
            for flow in (0.3, 0.6, 1.0, 2.0, 3.0, 4.0, 5.0)
        },
        "delay": {f"{delay:g}": _tissue(arrival_s=delay) for delay in (0.0, 1.0, 2.0, 3.0)},
        "tissue": {model.value: _tissue(model=model) for model in TissueModel},
        "exchange": {"usual": _tissue(), "wide": _tissue(has_wide_exchange=True)},
        "SNR": {
            f"{ratio:g}": _protocol(signal_to_noise=ratio) for ratio in (10.0, 15.0, 20.0, 40.0)
        },
        "heart rate": {
            f"{rate:g}": _protocol(heart_rate_bpm=rate) for rate in (45.0, 60.0, 75.0, 100.0, 130.0)
        },
        "missed beats": {f"{n}": _protocol(n_missed_beats=n) for n in (0, 2, 4)},
        "breathing": {mode.value: _protocol(breathing=mode) for mode in Breathing},
        "field": {
            "1.5 T": _protocol(field_strength_t=1.5),
            "3 T": _protocol(field_strength_t=3.0),
        },
        "readout": {"GRE": _protocol(), "EPI": echo_planar, "bSSFP at 1.5 T": balanced},
        "agent": {
            name: _protocol(agent=name)
            for name in ("gadobutrol", "gadoterate", "gadobenate", "gadopiclenol")
        },
        "arterial input": {
            "dual sequence": _protocol(),
            "dual echo": _protocol(arterial_second_echo_time_s=0.0019),
            "single sequence": _protocol(),
        },
    }
)
"""Levels of each factor around the clinical point."""
