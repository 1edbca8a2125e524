"""Keeps one program alive, whoever else dies. `kept` is the engine's side; the rest runs in the shim's process,
from the standard library alone and with few imports, because there is one such process for each service."""
