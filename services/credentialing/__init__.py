"""Credentialing: which clinician may bill which payer, at which place, on which dates of service."""
