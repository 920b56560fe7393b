"""`python -m services.sandbox api | worker | migrate`."""

from libs.common.runtime import main
from services.sandbox.app import create_service

if __name__ == "__main__":
    main(create_service())
