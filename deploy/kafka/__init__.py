"""Apache Kafka for this machine: named, in Docker, or with nothing but Java and Maven."""
