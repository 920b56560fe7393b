"""Remittance: from an 835 to the ledger, the bank, and what the patient owes."""
