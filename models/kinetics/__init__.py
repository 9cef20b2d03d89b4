"""How tissue answers an arterial input: impulse responses and their convolution.

Every model is an impulse response h(t) in 1/s (flow in ml of blood per ml of tissue per second),
so that the tissue concentration is the convolution of h with the arterial concentration. The
input is known at heart beats only; `convolve` is exact for the polygon through those samples and
differentiable in the parameters and the delay.
"""

from models.kinetics.btex import BloodTissueExchange
from models.kinetics.convolution import (
    Response,
    TabulatedResponse,
    convolution_matrix,
    convolve,
    convolve_uniform,
)
from models.kinetics.exchange import two_compartment_exchange
from models.kinetics.exponential import ExponentialResponse
from models.kinetics.fermi import FermiResponse, fermi_response
from models.kinetics.gamma_variate import RecirculatingBolus, gamma_variate
from models.kinetics.homogeneity import TissueHomogeneity
from models.kinetics.interpolation import interpolate
from models.kinetics.parker import parker_bolus
from models.kinetics.tofts import ExtendedTofts
from models.kinetics.uptake import two_compartment_uptake

__all__ = [
    "BloodTissueExchange",
    "ExponentialResponse",
    "ExtendedTofts",
    "FermiResponse",
    "RecirculatingBolus",
    "Response",
    "TabulatedResponse",
    "TissueHomogeneity",
    "convolution_matrix",
    "convolve",
    "convolve_uniform",
    "fermi_response",
    "gamma_variate",
    "interpolate",
    "parker_bolus",
    "two_compartment_exchange",
    "two_compartment_uptake",
]
