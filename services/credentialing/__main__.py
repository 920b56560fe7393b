"""python -m services.credentialing api | worker | migrate | replay | parked"""

from libs.common.runtime import main
from services.credentialing.app import create_service

if __name__ == "__main__":
    main(create_service())
