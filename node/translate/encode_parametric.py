"""Flow as Parametric Map: the computed numbers themselves, as 32-bit floats (PS3.3 A.75).

The classic map is for viewers, this object for programs: nothing is rounded. A pixel without a
value is 0, and the object says that 0 is no value (Float Pixel Padding Value, C.7.6.24). NaN would
say so too, but OHIF shows nothing at all of a map that holds one.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as ItemSequence

from node.translate.codes import HEART, PERFUSION_ANALYSIS, code_sequence, quantity_definition
from node.translate.context import ResultContext
from node.translate.encode_map import FLOW
from node.translate.equipment import MANUFACTURER, MODEL
from node.translate.map_stack import (
    CREATOR,
    MapStack,
    StackKind,
    StackPlace,
    adopt,
    place_stack,
    stack_maps,
)
from node.translate.results import ResultObject
from pipeline.types import PatientState

NO_VALUE = 0.0
"""Of a pixel in which no flow was computed."""
LEAST_FLOW_ML_MIN_G = 1e-6
"""Stored for a flow of 0, which is a value."""
PARAMETRIC = StackKind(
    kind="parametric",
    name="parametric",
    modality="MR",  # of the images the values were measured in (C.8.32.1); highdicom says OT
    series="parametric",
    offset=5,
)


def encode_parametric(
    context: ResultContext, maps: Sequence[ResultObject]
) -> tuple[ResultObject, ...]:
    """Return the flow maps of an exam as one Parametric Map.

    Parameters
    ----------
    context
        The exam.
    maps
        Its classic flow maps in the order of the slices; none without flow, and then no object.

    Returns
    -------
    tuple
        One object with a frame for each map; more where slices differ in size or orientation.

    """
    return tuple(_encode(context, stack) for stack in stack_maps(context, maps))


def _encode(context: ResultContext, stack: MapStack) -> ResultObject:
    place = place_stack(PARAMETRIC, stack, context)
    values = _values(context, stack)
    made = _make(values, stack, place, context)
    _set_frames(made, values, stack)
    _set_shared(made.SharedFunctionalGroupsSequence[0], context.analysis.state)
    return adopt(made, PARAMETRIC, stack, place, context)


def _set_shared(groups: Dataset, state: PatientState) -> None:
    """Say of all frames in which state and of which organ they are."""
    (mapping,) = groups.RealWorldValueMappingSequence
    mapping.QuantityDefinitionSequence = ItemSequence(quantity_definition(FLOW.quantity, state))
    anatomy = Dataset()
    anatomy.FrameLaterality = "U"
    anatomy.AnatomicRegionSequence = code_sequence(HEART)
    # Optional by the standard, but dcmqi and 3D Slicer crash without it.
    groups.FrameAnatomySequence = ItemSequence([anatomy])


def _values(context: ResultContext, stack: MapStack) -> NDArray[np.float32]:
    flows = [context.analysis.slices[position].flow for position in stack.positions]
    computed = np.stack(
        [np.asarray(flow.flow_ml_min_g, dtype=np.float32) for flow in flows if flow is not None]
    )
    known = np.where(computed == NO_VALUE, np.float32(LEAST_FLOW_ML_MIN_G), computed)
    return np.nan_to_num(known, nan=NO_VALUE)


def _set_frames(made: Dataset, values: NDArray[np.float32], stack: MapStack) -> None:
    """Put the frames in the order of the stack; highdicom writes them in the opposite one.

    dcmqi and with it 3D Slicer lay frames upwards along the normal, whatever positions they have.
    """
    of_image = {
        frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID: frame
        for frame in made.PerFrameFunctionalGroupsSequence
    }
    frames = [of_image[image.SOPInstanceUID] for image in stack.images]
    for number, frame in enumerate(frames, start=1):
        frame.FrameContentSequence[0].DimensionIndexValues = [number]
    made.PerFrameFunctionalGroupsSequence = ItemSequence(frames)
    # One value is a range too; dciodvfy asks for both ends.
    made.FloatPixelPaddingValue = made.FloatPixelPaddingRangeLimit = NO_VALUE
    made.FloatPixelData = values.astype("<f4").tobytes()


def _make(
    values: NDArray[np.float32], stack: MapStack, place: StackPlace, context: ResultContext
) -> Dataset:
    # Late, as it takes half a second and most commands make no maps.
    from highdicom import VOILUTTransformation
    from highdicom.pm import ParametricMap, RealWorldValueMapping

    state = context.analysis.state
    centre, width = FLOW.window
    mapping = RealWorldValueMapping(
        lut_label=FLOW.label,
        lut_explanation=f"{FLOW.quantity.meaning} [{FLOW.unit.value}]",
        unit=FLOW.unit.code,
        value_range=(0.0, FLOW.maximum),  # whole numbers would be written as integers
        slope=1.0,
        intercept=0.0,
    )
    return ParametricMap(
        source_images=stack.images,
        pixel_array=values,
        series_instance_uid=place.series_uid,
        series_number=place.series_number,
        sop_instance_uid=place.sop_uid,
        instance_number=stack.number,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MODEL,
        software_versions=context.run.software_version,
        device_serial_number=context.settings.device_serial_number,
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[mapping],
        voi_lut_transformations=[VOILUTTransformation(window_center=centre, window_width=width)],
        image_flavor="PERFUSION" if state is PatientState.UNKNOWN else state.upper(),
        derived_pixel_contrast="QUANTITY",
        content_label=FLOW.label,
        content_description=f"{FLOW.quantity.meaning} [{FLOW.unit.value}]",
        content_creator_name=CREATOR,
        derivation=PERFUSION_ANALYSIS.code,
    )
