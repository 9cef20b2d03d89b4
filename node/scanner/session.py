"""One visit to the virtual scanner: who, when, and the identifiers that follow from it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from node.scanner.patient import VirtualPatient
from node.translate.uids import make_uid

_FIRST_DAY = datetime(2026, 3, 2, 10, 0, 0)
_DELAY = {"stress": timedelta(minutes=20), "rest": timedelta(minutes=35)}
_SERIES_NUMBER = {"stress": 11, "rest": 21}


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """The scanner, as General Equipment has it (C.7.5.1)."""

    manufacturer: str
    model: str
    software: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Everything of the headers that is the same for a whole study."""

    patient: VirtualPatient
    started: datetime

    @classmethod
    def of(cls, patient: VirtualPatient, started: datetime | None = None) -> "Session":
        """Return the visit of a patient, by default on the day the virtual scanner was built."""
        return cls(patient=patient, started=_FIRST_DAY if started is None else started)

    def uid(self, *parts: str) -> UID:
        """Return a UID that follows from patient, accession number and the parts."""
        return make_uid("scanner", self.patient.patient_id, self.patient.accession_number, *parts)

    def bolus_started(self, state: str) -> datetime:
        """When the bolus run of a state began."""
        return self.started + _DELAY[state]

    def series_number(self, state: str) -> int:
        """Return the first series number of a state."""
        return _SERIES_NUMBER[state]

    def header(self, equipment: Equipment) -> Dataset:
        """Return patient, study, order and equipment."""
        header = Dataset()
        self._add_patient(header)
        self._add_study(header)
        _add_equipment(header, equipment)
        return header

    def _add_patient(self, header: Dataset) -> None:
        header.SpecificCharacterSet = self.patient.character_set
        header.PatientName = self.patient.name
        header.PatientID = self.patient.patient_id
        header.PatientBirthDate = self.patient.birth_date
        header.PatientSex = self.patient.sex
        header.PatientAge = f"{self.patient.age_years:03d}Y"
        header.PatientWeight = f"{self.patient.weight_kg:g}"
        header.PatientPosition = "HFS"
        header.BodyPartExamined = "HEART"

    def _add_study(self, header: Dataset) -> None:
        header.StudyInstanceUID = self.uid("study")
        header.FrameOfReferenceUID = self.uid("frame of reference")
        header.PositionReferenceIndicator = None
        header.StudyDate = header.SeriesDate = dicom_date(self.started)
        header.StudyTime = dicom_time(self.started)
        header.StudyID = "1"
        header.StudyDescription = "Cardiac MR stress perfusion"
        header.AccessionNumber = self.patient.accession_number
        header.ReferringPhysicianName = "Virtual^Referrer"
        header.PerformedProcedureStepID = f"PPS{self.patient.accession_number}"
        header.PerformedProcedureStepStartDate = dicom_date(self.started)
        header.PerformedProcedureStepStartTime = dicom_time(self.started)
        order = Dataset()
        order.RequestedProcedureID = self.patient.accession_number
        order.ScheduledProcedureStepID = "1"
        header.RequestAttributesSequence = Sequence([order])


def _add_equipment(header: Dataset, equipment: Equipment) -> None:
    header.Modality = "MR"
    header.Manufacturer = equipment.manufacturer
    header.ManufacturerModelName = equipment.model
    header.InstitutionName = "Virtual Hospital"
    header.StationName = "VIRTUALMR"
    header.DeviceSerialNumber = "00000"
    header.SoftwareVersions = list(equipment.software)


def dicom_date(moment: datetime) -> str:
    """Return a date as DICOM writes it (DA)."""
    return moment.strftime("%Y%m%d")


def dicom_time(moment: datetime) -> str:
    """Return a time as DICOM writes it, to the microsecond (TM)."""
    return moment.strftime("%H%M%S.%f")


def decimal(value: float) -> str:
    """Return a number as a decimal string of at most 16 characters (DS)."""
    return f"{value:.9g}"
