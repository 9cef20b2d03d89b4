"""The `perfnode` command, one file per group of commands.

torch and matplotlib are imported inside the commands that compute, so that `perfnode status`
answers at once and a receiver-only installation works.
"""
