"""``python -m libs.x12 check | read | ack | show | anonymize | spec``: the library at the command line."""

import sys

from libs.x12.cli import main

if __name__ == "__main__":
    sys.exit(main())
