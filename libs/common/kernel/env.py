"""Alembic's way into the kernel's history, which each schema goes through before its service's own."""

from libs.common.migrations import run_environment

run_environment()
