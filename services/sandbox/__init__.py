"""Sandbox: a clearinghouse and five payers that speak X12 only, and refuse what real ones refuse."""
