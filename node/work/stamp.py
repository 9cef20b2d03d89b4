"""What identifies one computation."""

import hashlib
import json
from dataclasses import asdict
from datetime import datetime

from node.settings import Settings
from node.translate import RunStamp
from node.version import SOFTWARE
from node.work.networks import TrainedNetworks


def make_stamp(settings: Settings, created: datetime, trained: TrainedNetworks) -> RunStamp:
    """Return what identifies one computation: time, software, digest of settings and networks.

    Only what changes a result counts; a new port, or the same weights in another folder, makes no
    new result.
    """
    relevant = settings.model_dump(
        mode="json",
        include={"quantification": True, "acquisition": True, "states": True, "results": True},
        # What is left out of a delivery changes nothing in what is delivered.
        exclude={"results": {"objects"}},
    )
    relevant["motion"] = settings.motion.method
    relevant["networks"] = [asdict(stamp) for stamp in trained.stamps]
    digest = hashlib.sha256(json.dumps(relevant, sort_keys=True).encode()).hexdigest()
    return RunStamp(
        created=created,
        software_version=SOFTWARE,
        configuration_digest=digest,
        networks=trained.stamps,
    )
