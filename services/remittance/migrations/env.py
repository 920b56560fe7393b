"""Migrations of schema `remittance`."""

from libs.common.migrations import run_environment

run_environment()
