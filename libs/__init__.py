"""Libraries of Parity: the kernel (`common`), the X12 library (`x12`) and the code facts (`codes`)."""
