"""Prove the node on an exam whose truth is known: archive, comparison, the whole run.

`make demo` runs it on temporary folders and ports; nothing here is used while serving.
"""
