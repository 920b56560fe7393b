"""python -m services.reporting api | worker | migrate | rebuild | replay | parked"""

import asyncio
import sys

from libs.common.runtime import main, refusing_plainly
from libs.common.settings import ServiceSettings
from services.reporting.app import create_service
from services.reporting.rebuild import rebuild

if __name__ == "__main__":
    if sys.argv[1:] == ["rebuild"]:
        with refusing_plainly():
            owner = ServiceSettings.from_environment("reporting").database("owner")
        rows = asyncio.run(rebuild(owner))
        sys.stdout.writelines(f"{table}: {count} rows\n" for table, count in rows.items())
    else:
        main(create_service())
