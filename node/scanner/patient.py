"""A patient who plainly does not exist."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualPatient:
    """Identity written into the headers of a virtual exam.

    Exams of the same patient and accession number belong to one study.
    """

    name: str
    """DICOM person name, family name first, components separated by `^`."""
    patient_id: str
    birth_date: str
    """`YYYYMMDD`."""
    sex: str
    age_years: int
    weight_kg: float
    accession_number: str
    character_set: str = "ISO_IR 100"
    """Specific character set of the headers (C.12.1.1.2); must be able to hold the name."""

    @classmethod
    def from_seed(cls, seed: int) -> "VirtualPatient":
        """Return the patient of a phantom seed."""
        return cls(
            name="Phantom^Perfusion",
            patient_id=f"PHANTOM-{seed:06d}",
            birth_date="19600101",
            sex="O",
            age_years=66,
            weight_kg=75.0,
            accession_number=f"SIM{seed:06d}",
        )
