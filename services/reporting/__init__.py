"""Reporting: every event as it came, the analytics tables projected from them, KPIs, and the union of all work lists."""
