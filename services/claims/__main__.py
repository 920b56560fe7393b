"""python -m services.claims api | worker | migrate | replay | parked"""

from libs.common.runtime import main
from services.claims.app import create_service

if __name__ == "__main__":
    main(create_service())
