"""The version of perfnode, in one place."""

VERSION = "0.1.0"
