"""Canary: the shape annotations of the science packages are checked while tests run."""

import jaxtyping
import pytest
import torch

from models.physics import relaxation_rate
from pipeline.types import FlowMap


def test_wrong_type_is_caught_in_models() -> None:
    with pytest.raises(jaxtyping.TypeCheckError):
        relaxation_rate(1.0, native_t1_s=1.0, relaxivity_l_mmol_s=4.5)


def test_wrong_shape_is_caught_in_pipeline() -> None:
    flat = torch.zeros(4)
    square = torch.zeros(4, 4)
    with pytest.raises(jaxtyping.TypeCheckError):
        FlowMap(flow_ml_min_g=flat, fit_quality=square, delay_s=square)


def test_shapes_that_disagree_are_caught() -> None:
    with pytest.raises(jaxtyping.TypeCheckError):
        FlowMap(
            flow_ml_min_g=torch.zeros(4, 5),
            fit_quality=torch.zeros(5, 4),
            delay_s=torch.zeros(4, 5),
        )
