"""How fast Parity is, as ratios within one run: each figure stands beside the least that could do the same work."""
