"""`python -m deploy.topics HOST:PORT`: every topic of the table of events exists in Kafka, with 12 partitions.

Topics are made by this command and never by the accident of a first write, which would make them with the broker's
own number of partitions, and the order of a claim's events would change with it.
"""

import asyncio
import sys

from libs.common.events import TOPICS
from libs.common.log import LogUnavailable, open_log
from libs.common.settings import MissingSetting, RefusedSetting


async def create(kafka: str) -> None:
    """The topics exist; those that exist already stay as they are."""
    log = open_log(f"kafka://{kafka}")
    try:
        await log.create_topics(TOPICS)
    finally:
        await log.close()


def main(arguments: list[str]) -> None:
    """Create the topics of the broker that is named."""
    if len(arguments) != 1:
        sys.exit("usage: python -m deploy.topics HOST:PORT")
    try:
        asyncio.run(create(arguments[0]))
    except LogUnavailable:
        sys.exit(f"Kafka does not answer at {arguments[0]}; start it and try again.")
    except (MissingSetting, RefusedSetting) as unusable:
        sys.exit(str(unusable))
    sys.stdout.write(f"{len(TOPICS)} topics are there.\n")


if __name__ == "__main__":
    main(sys.argv[1:])
