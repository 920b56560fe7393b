"""A member of a group in a process of its own, so that it can be stopped and killed; told what to do by lines.

    python -m tests.common.log.member ADDRESS SESSION_SECONDS GROUP TOPIC

`poll` answers the records got (key and number) and the partitions held, `commit` answers `committed` or `lost`.
"""

import asyncio
import json
import sys
from typing import Any

from libs.common.log import EventLog, LogUnavailable, PartitionLost, TopicPartition
from libs.common.log.embedded import EmbeddedLog
from libs.common.log.kafka import KafkaLog


def log_at(address: str, session_seconds: float) -> EventLog:
    scheme, _, rest = address.partition("://")
    if scheme == "kafka":
        return KafkaLog(rest, session_seconds=session_seconds)
    return EmbeddedLog(address, session_seconds=session_seconds)


async def main(address: str, session_seconds: float, group: str, topic: str) -> None:
    done: dict[TopicPartition, int] = {}
    log = log_at(address, session_seconds)
    async with log.consumer(group, [topic]) as member:
        while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
            answer: Any
            try:
                if line == "poll":
                    polled = await member.poll(timeout_seconds=0.3, max_records=20)
                    done |= {tp: records[-1].offset + 1 for tp, records in polled.items()}
                    answer = {
                        "records": [[r.key, int(r.value)] for records in polled.values() for r in records],
                        "held": len(member.assignment()),
                    }
                else:
                    await member.commit(done)
                    done.clear()
                    answer = "committed"
            except PartitionLost:
                done.clear()
                answer = "lost"
            except LogUnavailable:
                answer = "unavailable"
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
    await log.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2]), sys.argv[3], sys.argv[4]))
