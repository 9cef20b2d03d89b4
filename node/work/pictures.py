"""What is drawn of the exams of a study; nothing that nobody asked for."""

from collections.abc import Sequence

from node.settings import Settings
from node.translate import DecodedExam, ExamPictures, PairPictures, RunStamp
from pipeline.picture import (
    ColourTable,
    Provenance,
    draw_flow_maps,
    draw_movie,
    draw_page,
    draw_pair_page,
    draw_reserve_maps,
)
from pipeline.quality import AnalysedExam
from pipeline.reserve import Reserve
from pipeline.types import Analysis


def draw_exam(
    decoded: DecodedExam, analysis: Analysis, stamp: RunStamp, settings: Settings
) -> ExamPictures:
    """Draw one exam.

    Parameters
    ----------
    decoded
        The exam, and how it was read.
    analysis
        Its result.
    stamp
        Identity of the computation, burned in.
    settings
        Colours, and which objects are made.

    """
    exam, objects = decoded.exam, settings.results.objects
    table = ColourTable(settings.results.colour_table)
    provenance = _provenance([(decoded, analysis)], stamp, settings)
    return ExamPictures(
        page=draw_page(exam, analysis, provenance, table),
        colour=draw_flow_maps(exam, analysis, provenance, table) if "colour" in objects else (),
        movie=draw_movie(exam, analysis, provenance) if "movie" in objects else None,
    )


def draw_pair(
    stress: tuple[DecodedExam, Analysis],
    rest: tuple[DecodedExam, Analysis],
    reserve: Reserve,
    stamp: RunStamp,
    settings: Settings,
) -> PairPictures:
    """Draw a stress and a rest exam together.

    Parameters
    ----------
    stress, rest
        Each exam with its result.
    reserve
        What they say together.
    stamp
        Identity of the computation, burned in.
    settings
        Colours, and which objects are made.

    """
    table = ColourTable(settings.results.colour_table)
    provenance = _provenance([stress, rest], stamp, settings)
    above, below = (
        AnalysedExam(exam=decoded.exam, analysis=analysis) for decoded, analysis in (stress, rest)
    )
    page = draw_pair_page(
        stress=above, rest=below, reserve=reserve, provenance=provenance, table=table
    )
    wants_colour = "colour" in settings.results.objects
    return PairPictures(
        page=page,
        colour=draw_reserve_maps(above.exam, above.analysis, reserve, provenance, table)
        if wants_colour
        else (),
    )


def _provenance(
    shown: Sequence[tuple[DecodedExam, Analysis]], stamp: RunStamp, settings: Settings
) -> Provenance:
    methods = sorted({one.motion.method for _, analysis in shown for one in analysis.slices})
    assumed = (fact.brief for decoded, _ in shown for fact in decoded.account.assumptions)
    return Provenance(
        software=f"{stamp.software_version} config {stamp.configuration_digest[:8]}",
        created=f"{stamp.created:%Y-%m-%d %H:%M:%S}",
        label=settings.results.research_label,
        motion="; ".join(stamp.describe_motion(name, n_digits=8) for name in methods),
        assumptions=tuple(dict.fromkeys(assumed)),
    )
