"""The only modules that write SQL: claims, remittances, ledger."""
