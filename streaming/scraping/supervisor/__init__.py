"""The process that claims queued jobs and runs each in a process of its own."""
