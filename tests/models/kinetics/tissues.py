"""Every forward model with parameters of heart muscle, batched."""

import torch

from models.kinetics import (
    BloodTissueExchange,
    ExtendedTofts,
    FermiResponse,
    TabulatedResponse,
    TissueHomogeneity,
    two_compartment_exchange,
    two_compartment_uptake,
)


def double(values):
    return torch.tensor(values, dtype=torch.float64)


FLOW_1_S = double([0.5, 1.0, 3.0]) / 60
BLOOD_VOLUME = double([0.08, 0.10, 0.12])
INTERSTITIAL_VOLUME = double([0.30, 0.25, 0.35])
SURFACE_1_S = double([0.8, 1.2, 2.5]) / 60

EXCHANGE = {
    "flow_1_s": FLOW_1_S,
    "blood_volume": BLOOD_VOLUME,
    "interstitial_volume": INTERSTITIAL_VOLUME,
    "permeability_surface_1_s": SURFACE_1_S,
}
UPTAKE = {name: EXCHANGE[name] for name in EXCHANGE if name != "interstitial_volume"}
FERMI = {"flow_1_s": FLOW_1_S, "decay_1_s": double([0.2, 0.5, 2.0]), "width_s": double([8, 4, 2])}
TOFTS = {
    "transfer_1_s": SURFACE_1_S / 2,
    "plasma_volume": BLOOD_VOLUME,
    "interstitial_volume": INTERSTITIAL_VOLUME,
}
KNOT_S = double([0.0, 0.7, 2.0, 5.0, 20.0])
TABLE = {"value_1_s": FLOW_1_S[:, None] * double([1.0, 1.0, 0.6, 0.4, 0.1])}

MODELS = {
    "Fermi": (FermiResponse, FERMI),
    "two-compartment exchange": (two_compartment_exchange, EXCHANGE),
    "two-compartment uptake": (two_compartment_uptake, UPTAKE),
    "plug flow": (BloodTissueExchange, EXCHANGE),
    "tissue homogeneity": (TissueHomogeneity, EXCHANGE),
    "extended Tofts": (ExtendedTofts, TOFTS),
    "table": (lambda **given: TabulatedResponse(knot_s=KNOT_S, **given), TABLE),
}
WITH_RESPONSE = [name for name in MODELS if name not in {"extended Tofts", "table"}]
