"""The states of a study as a table: every change of state is one of these moves.

        RECEIVE        COMPLETE, FORCE      START          SEND          SETTLE
(none) ────────► RECEIVING ────────► QUEUED ─────► RUNNING ─────► SENDING ─────► DONE
                     ▲                  ▲           │   └─ FINISH ───────────────►│
                     │ REOPEN           │ RETRY     └─ FAIL ─► FAILED             │
                     └─ any other state └──────────────────────┴──────────────────┘
SENDING, DONE, FAILED, REJECTED ─── REJECT ───► REJECTED ─── RETRY ───► QUEUED
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy.orm import Session

from storage.errors import IllegalTransitionError
from storage.records import StudyState
from storage.schema import EventRow, StudyRow

REASON_LENGTH = 255


class Move(StrEnum):
    """What happened to a study; the value is the sentence in its history."""

    COMPLETE = "complete"
    FORCE = "forced by an operator"
    START = "computation started"
    SEND = "results ready"
    FINISH = "results ready, no destination configured"
    FAIL = "no result"
    SETTLE = "all results delivered"
    REOPEN = "late instance"
    RETRY = "queued again by an operator"
    REJECT = "rejected by an operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """Where a move may begin, where it ends, and whether the result must be made anew."""

    sources: frozenset[StudyState]
    target: StudyState
    is_new_revision: bool


def _transition(
    *sources: StudyState, target: StudyState, is_new_revision: bool = False
) -> Transition:
    return Transition(sources=frozenset(sources), target=target, is_new_revision=is_new_revision)


_S = StudyState
TRANSITIONS: Mapping[Move, Transition] = MappingProxyType(
    {
        Move.COMPLETE: _transition(_S.RECEIVING, target=_S.QUEUED),
        Move.FORCE: _transition(_S.RECEIVING, target=_S.QUEUED),
        Move.START: _transition(_S.QUEUED, target=_S.RUNNING),
        Move.SEND: _transition(_S.RUNNING, target=_S.SENDING),
        Move.FINISH: _transition(_S.RUNNING, target=_S.DONE),
        Move.FAIL: _transition(_S.RUNNING, target=_S.FAILED),
        Move.SETTLE: _transition(_S.SENDING, target=_S.DONE),
        Move.REOPEN: _transition(
            *(set(_S) - {_S.RECEIVING}), target=_S.RECEIVING, is_new_revision=True
        ),
        Move.RETRY: _transition(
            _S.DONE, _S.FAILED, _S.REJECTED, target=_S.QUEUED, is_new_revision=True
        ),
        # Twice is once more: a destination that was unknown the first time may be known now.
        Move.REJECT: _transition(_S.SENDING, _S.DONE, _S.FAILED, _S.REJECTED, target=_S.REJECTED),
    }
)


def is_allowed(state: StudyState, move: Move) -> bool:
    """Whether a study in `state` can make `move`."""
    return state in TRANSITIONS[move].sources


def apply(session: Session, study: StudyRow, move: Move, *, at: datetime, detail: str = "") -> None:
    """Move a study and write the line of its history, in the caller's transaction.

    Parameters
    ----------
    detail
        What is to be said beyond the sentence of the move; without identity of the patient.

    Raises
    ------
    IllegalTransitionError
        If the table has no such move from the present state.
    """
    transition = TRANSITIONS[move]
    if study.state not in transition.sources:
        raise IllegalTransitionError(
            f"{study.reference} is {study.state.value}; the move '{move.value}' needs one of: "
            + ", ".join(sorted(source.value for source in transition.sources))
        )
    if transition.is_new_revision:
        _begin_revision(study)
    study.state = transition.target
    study.state_changed_at = at
    note(session, study, f"{move.value}: {detail}" if detail else move.value, at=at)


def note(session: Session, study: StudyRow, reason: str, *, at: datetime) -> None:
    """Write a line into the history of a study without moving it."""
    session.add(
        EventRow(
            study_id=study.id,
            at=at,
            state=study.state,
            revision=study.revision,
            reason=reason[:REASON_LENGTH],
        )
    )


def _begin_revision(study: StudyRow) -> None:
    study.revision += 1
    study.completed_by = None
    study.failure_code = None
    study.failure_text = None
    study.progress_fraction = 0.0
    study.progress_stage = ""
