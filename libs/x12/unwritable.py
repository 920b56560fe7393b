"""What cannot be sent."""


class Unwritable(ValueError):
    """A record holds a value that no interchange can carry, or lacks one that it must have."""
