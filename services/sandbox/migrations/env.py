"""Migrations of schema `sandbox`."""

from libs.common.migrations import run_environment

run_environment()
