"""Groupwise registration with PCAMetric2 by elastix, an outside comparator.

Huizinga 2016 ("PCA-based groupwise image registration for quantitative MRI",
doi 10.1016/j.media.2015.12.004): all frames are moved at once so that few principal components
explain them; no reference frame, no model of contrast. First a rigid stack, then B-splines.
Needs the optional package itk-elastix; far too slow for routine use.
"""

import importlib
from tempfile import TemporaryDirectory
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.motion.crop import HeartCrop
from pipeline.segment import locate_heart

RIGID_ITERATIONS = 200
BENDING_ITERATIONS = 200
N_RESOLUTIONS = 3
"""Published are 500 iterations and 4 resolutions; here those drive frames without contrast out of
the image."""
GRID_MM = 16.0
N_SAMPLES = 512
WINDOW = 0.2
"""Weight of the heart window above which pixels take part."""

_COMMON = {
    "FixedInternalImagePixelType": ["float"],
    "MovingInternalImagePixelType": ["float"],
    "FixedImageDimension": ["3"],
    "MovingImageDimension": ["3"],
    "UseDirectionCosines": ["true"],
    "Registration": ["MultiResolutionRegistration"],
    "Metric": ["PCAMetric2"],
    "SubtractMean": ["true"],
    "MovingImageDerivativeScales": ["1", "1", "0"],
    "Interpolator": ["ReducedDimensionBSplineInterpolator"],
    "BSplineInterpolationOrder": ["1"],
    "ResampleInterpolator": ["FinalReducedDimensionBSplineInterpolator"],
    "FinalBSplineInterpolationOrder": ["3"],
    "Resampler": ["DefaultResampler"],
    "FixedImagePyramid": ["FixedSmoothingImagePyramid"],
    "MovingImagePyramid": ["MovingSmoothingImagePyramid"],
    "NumberOfResolutions": [str(N_RESOLUTIONS)],
    "ImagePyramidSchedule": [
        part for level in range(N_RESOLUTIONS - 1, -1, -1) for part in (str(2**level),) * 2 + ("0",)
    ],
    "Optimizer": ["AdaptiveStochasticGradientDescent"],
    "AutomaticParameterEstimation": ["true"],
    "ASGDParameterEstimationMethod": ["Original"],
    "NumberOfGradientMeasurements": ["1"],
    "NumberOfJacobianMeasurements": ["1000"],
    "NumberOfSamplesForExactGradient": ["2000"],
    "ImageSampler": ["RandomCoordinate"],
    "NumberOfSpatialSamples": [str(N_SAMPLES)],
    "NewSamplesEveryIteration": ["true"],
    "UseRandomSampleRegion": ["false"],
    "RequiredRatioOfValidSamples": ["0.05"],
    "HowToCombineTransforms": ["Compose"],
    "AutomaticTransformInitialization": ["false"],
    "AutomaticScalesEstimation": ["true"],
    "DefaultPixelValue": ["0"],
    "WriteResultImage": ["false"],
    "RandomSeed": ["121212"],
}
"""The defaults of the three measurement settings take minutes per resolution for a stack."""


def groupwise_field(
    frames: Float[Tensor, "time row column"],
    *,
    spacing_mm: tuple[float, float],
    n_proton_density: int,
) -> Float[Tensor, "time axis row column"]:
    """Return the field of each frame to the common position, px.

    Parameters
    ----------
    frames
        Magnitude images, proton-density frames first.
    spacing_mm
        Row and column spacing, mm.
    n_proton_density
        Frames at the start without saturation pulse.

    """
    region = locate_heart(frames, spacing_mm=spacing_mm, n_proton_density=n_proton_density)
    size = (frames.shape[1], frames.shape[2])
    crop = HeartCrop.around(region, spacing_mm=spacing_mm, image_size=size)
    heart = crop.cut(frames)
    heart = heart / heart.amax(dim=(1, 2), keepdim=True).clamp_min(1e-12)
    field_mm = _register(heart, crop.weight(heart) > WINDOW, crop.spacing_mm)
    return crop.spread(field_mm / crop.spacing_mm)


def _register(
    heart: Float[Tensor, "time row column"], mask: Tensor, spacing_mm: float
) -> Float[Tensor, "time axis row column"]:
    """Run elastix; its fields have the column first."""
    itk: Any = importlib.import_module("itk")
    image = _stack(itk, heart, spacing_mm)
    inside = _stack(itk, mask.to(torch.uint8).expand(heart.shape), spacing_mm)
    _, parameters = itk.elastix_registration_method(
        image,
        image,
        parameter_object=_parameters(itk),
        fixed_mask=inside,
        log_to_console=False,
        number_of_threads=1,
    )
    with TemporaryDirectory() as folder:  # it writes its result to a file too
        field = itk.transformix_deformation_field(
            image, parameters, log_to_console=False, output_directory=folder
        )
    values = torch.from_numpy(itk.array_from_image(field).copy()).float()
    return values[..., :2].flip(-1).permute(0, 3, 1, 2).contiguous()


def _stack(itk: Any, planes: Tensor, spacing_mm: float) -> Any:
    image = itk.image_from_array(planes.contiguous().numpy())
    image.SetSpacing((spacing_mm, spacing_mm, 1.0))
    return image


def _parameters(itk: Any) -> Any:
    """Return a rigid stage and a B-spline stage."""
    stages: Any = itk.ParameterObject.New()
    rigid = {
        "Transform": ["EulerStackTransform"],
        "MaximumNumberOfIterations": [str(RIGID_ITERATIONS)],
    }
    bending = {
        "Transform": ["BSplineStackTransform"],
        "FinalGridSpacingInPhysicalUnits": [str(GRID_MM)],
        "MaximumNumberOfIterations": [str(BENDING_ITERATIONS)],
    }
    for stage in (rigid, bending):
        stages.AddParameterMap({**_COMMON, **stage})
    return stages
