"""The version of perfnode, in one place."""

VERSION = "0.1.0"
SOFTWARE = f"perfnode {VERSION}"
"""As written into results."""
IMPLEMENTATION_CLASS_UID = "2.25.187462118003652904376610298433512078421"
"""Who wrote a file (PS3.10 7.1); fixed for all versions."""
IMPLEMENTATION_VERSION_NAME = "PERFNODE_1"
