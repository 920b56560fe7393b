"""The delivery kernel that every service stands on: events, outbox, inbox, doors, timers, tasks."""
