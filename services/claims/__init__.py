"""Claims: from an encounter to an accepted 837, and back again through correction and appeal."""
