"""Eligibility: is the patient covered on the day of the session, what will they owe, and are there authorized units."""
