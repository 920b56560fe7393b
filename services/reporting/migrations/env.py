"""Migrations of schema `reporting`."""

from libs.common.migrations import run_environment

run_environment()
