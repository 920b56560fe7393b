"""Parity on one machine, with nothing but Python."""
