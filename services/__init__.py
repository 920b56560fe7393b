"""The five services of Parity, and the sandbox that plays the outside world. None imports another."""
