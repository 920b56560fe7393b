"""python -m services.reporting api | worker | migrate | rebuild | replay | parked"""

import asyncio
import sys

from libs.common.runtime import main
from libs.common.settings import ServiceSettings
from services.reporting.app import create_service
from services.reporting.rebuild import rebuild

if __name__ == "__main__":
    if sys.argv[1:] == ["rebuild"]:
        rows = asyncio.run(rebuild(ServiceSettings.from_environment("reporting").database("owner")))
        sys.stdout.writelines(f"{table}: {count} rows\n" for table, count in rows.items())
    else:
        main(create_service())
