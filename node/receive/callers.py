"""Who may send, and what an association is answered when it may not."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from node.settings import AllowedPeer

MAX_CONTEXTS = 128
"""Presentation context identifiers are odd numbers below 256 (PS3.8 table 9-13)."""


class Rejection(Enum):
    """Result, source and diagnostic of an A-ASSOCIATE-RJ (PS3.8 table 9-21)."""

    NO_REASON = (1, 1, 1)
    CALLING_AE_UNKNOWN = (1, 1, 3)
    CALLED_AE_UNKNOWN = (1, 1, 7)
    LOCAL_LIMIT = (2, 3, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """What a peer says of itself, and where it calls from."""

    ae_title: str
    address: str
    called_ae_title: str
    n_contexts: int


class CallerList:
    """The list of allowed peers. Title and address must match in the same entry.

    An empty list refuses everyone.
    """

    def __init__(self, own_ae_title: str, allow: Sequence[AllowedPeer]) -> None:
        self._own_ae_title = own_ae_title
        self._allowed = [
            (peer.ae_title, ipaddress.ip_network(peer.address, strict=False)) for peer in allow
        ]

    def judge(self, caller: Caller) -> Rejection | None:
        """Return why a caller is rejected, or None if it may send."""
        if not self._is_allowed(caller):
            return Rejection.CALLING_AE_UNKNOWN
        if caller.called_ae_title != self._own_ae_title:
            return Rejection.CALLED_AE_UNKNOWN
        if caller.n_contexts > MAX_CONTEXTS:
            return Rejection.NO_REASON
        return None

    def _is_allowed(self, caller: Caller) -> bool:
        address = _plain_address(caller.address)
        return any(
            caller.ae_title == ae_title and address in network
            for ae_title, network in self._allowed
        )


def _plain_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return an address; IPv4 in its own form where it came through an IPv6 socket."""
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
