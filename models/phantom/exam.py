"""One phantom exam: draw the patient, scan every series, keep the truth."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from models.phantom.patient import Patient, draw_patient
from models.phantom.protocol import PhantomState, Protocol
from models.phantom.scan import scan, scan_echoes
from models.phantom.series import PhantomSeries, SeriesPlan
from models.phantom.truth import ExamTruth
from models.physics import AGENTS, native_relaxation


@dataclass(frozen=True, slots=True, kw_only=True)
class PhantomExam:
    """A dual-sequence exam of one state, with truth."""

    slices: tuple[PhantomSeries, ...]
    """From base to apex."""
    arterial_input: PhantomSeries
    arterial_input_second_echo: PhantomSeries | None
    """The same beats and motion at a later echo time, for T2*; None where one echo is read."""
    field_strength_t: float
    agent: str
    """Generic name of the contrast agent."""
    dose_fraction: float
    """Of the dose that the blood curves are usually drawn for."""
    state: str
    seed: int
    arterial_time_s: Float[Tensor, " fine"]
    """Fine grid on the clock of the exam, s."""
    arterial_concentration_mmol_l: Float[Tensor, " fine"]
    """Whole blood of the left ventricle."""
    rr_interval_s: Float[Tensor, " beat"]
    """From the trigger of each beat to the next, s."""
    truth: ExamTruth


def make_exam(seed: int, *, state: str = "stress", protocol: Protocol | None = None) -> PhantomExam:
    """Make the exam of one virtual patient.

    Parameters
    ----------
    seed
        Patient. The same seed has the same anatomy at stress and at rest.
    state
        `stress` or `rest`.
    protocol
        How it is acquired; the shipped defaults when None.

    Returns
    -------
    PhantomExam
        The same bytes for the same arguments.

    Raises
    ------
    ValueError
        If the state is unknown, or the protocol asks for breathing so deep that the image folds.

    """
    protocol = Protocol() if protocol is None else protocol
    patient = draw_patient(seed, state=PhantomState(state), protocol=protocol)
    plans = [SeriesPlan.of_slice(protocol, index) for index in range(protocol.n_slices)]
    arterial = [SeriesPlan.of_arterial_input(protocol)]
    if protocol.arterial_second_echo_time_s is not None:
        arterial.append(SeriesPlan.of_second_echo(protocol, protocol.arterial_second_echo_time_s))
    echoes = scan_echoes(patient, arterial)
    return PhantomExam(
        slices=tuple(scan(patient, plan) for plan in plans),
        arterial_input=echoes[0],
        arterial_input_second_echo=echoes[1] if len(echoes) > 1 else None,
        field_strength_t=protocol.field_strength_t,
        agent=protocol.agent,
        dose_fraction=protocol.dose_fraction,
        state=state,
        seed=seed,
        arterial_time_s=patient.blood.time_s,
        arterial_concentration_mmol_l=patient.blood.left_ventricle,
        rr_interval_s=patient.rhythm.interval_s,
        truth=_truth(patient),
    )


def _truth(patient: Patient) -> ExamTruth:
    native = native_relaxation(patient.protocol.field_strength_t)
    agent = AGENTS[patient.protocol.agent]
    return ExamTruth(
        trigger_s=patient.rhythm.trigger_s,
        is_ectopic=patient.rhythm.is_ectopic,
        breathing_time_s=patient.body.trace.time_s,
        breathing_mm=patient.body.trace.displacement_mm,
        right_ventricle_mmol_l=patient.blood.right_ventricle,
        healthy_flow_ml_min_g=patient.pattern.healthy_ml_min_g,
        defect_flow_ml_min_g=patient.pattern.defect_ml_min_g,
        defect_slices=patient.pattern.defect_slices,
        relaxivity_l_mmol_s=agent.relaxivity_l_mmol_s(patient.protocol.field_strength_t),
        native_t1_blood_s=native.t1_blood_s,
        native_t1_myocardium_s=native.t1_myocardium_s,
        plasma_volume=patient.exchange.plasma_volume,
        interstitial_volume=patient.exchange.interstitial_volume,
        permeability_surface_ml_min_ml=patient.exchange.permeability_surface_ml_min_ml,
        hematocrit_fraction=patient.protocol.hematocrit_fraction,
        density_g_ml=patient.protocol.density_g_ml,
    )
