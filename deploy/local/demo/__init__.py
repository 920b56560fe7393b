"""A month of a behavioral-health practice, from the EHR to the bank, through Parity's public API and webhooks."""
