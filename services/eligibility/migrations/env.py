"""Alembic's way into this history."""

from libs.common.migrations import run_environment

run_environment()
