"""python -m services.eligibility api | worker | migrate | replay | parked"""

from libs.common.runtime import main
from services.eligibility.app import create_service

if __name__ == "__main__":
    main(create_service())
