"""Reporting: events as they came, analytics tables projected from them, KPIs, and the union of all work lists."""
