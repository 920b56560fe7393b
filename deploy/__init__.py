"""How Parity is started: on one machine, in containers, on a cluster."""
