"""C-ECHO: is the peer there, and does it know us? Answers in words an administrator can use."""

from dataclasses import dataclass

from pynetdicom.presentation import build_context
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]  # made at run time

from node.send.association import AssociationFailedError, open_association
from node.settings import Destination

_SUCCESS = 0x0000


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoResult:
    """Whether the peer answered, and what to tell a person."""

    is_good: bool
    text: str


def echo(destination: Destination, *, calling_ae: str, timeout_s: float) -> EchoResult:
    """Look up, connect, associate and echo; stop at the first step that fails.

    Parameters
    ----------
    destination
        The peer.
    calling_ae
        Our AE title.
    timeout_s
        For connecting and for each answer.

    Returns
    -------
    The outcome; network trouble is an answer here, not an error.

    """
    place = f"{destination.ae_title} at {destination.address}:{destination.port}"
    try:
        with open_association(
            destination,
            calling_ae=calling_ae,
            contexts=[build_context(Verification)],
            timeout_s=timeout_s,
        ) as association:
            response = association.send_c_echo()
    except AssociationFailedError as error:
        return EchoResult(is_good=False, text=str(error))
    except RuntimeError:  # pynetdicom: the association broke before the echo was sent
        return EchoResult(is_good=False, text=f"{place} accepted us and hung up at once")
    if "Status" not in response:
        return EchoResult(is_good=False, text=f"{place} accepted us but did not answer the echo")
    if response.Status != _SUCCESS:
        return EchoResult(
            is_good=False, text=f"{place} answered the echo with 0x{response.Status:04X}"
        )
    return EchoResult(is_good=True, text=f"{place} answers")
