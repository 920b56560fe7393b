"""What the ledger knows without a database: accounts, lines, payers' decisions, patients' money."""
