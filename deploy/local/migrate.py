"""`python -m deploy.local.migrate claims remittance …`: each service's own `migrate`, one after another.

The same command as `python -m services.claims migrate`, without loading the libraries anew for each service.
"""

import runpy
import sys
import traceback


def main(services: list[str]) -> None:
    """Every schema is at the head of its history; else the last line names the service and what was wrong."""
    for service in services:
        sys.argv = [f"services.{service}", "migrate"]
        try:
            runpy.run_module(f"services.{service}", run_name="__main__", alter_sys=True)
        except SystemExit as left:
            if left.code:
                sys.exit(f"{service}: {left.code}")
        except Exception as error:  # noqa: BLE001  the service's own fault, whatever it is, is said by its name
            traceback.print_exc()
            sys.exit(f"{service}: {type(error).__name__}: {str(error).partition(chr(10))[0]}")


if __name__ == "__main__":
    main(sys.argv[1:])
