"""The process that claims scrape jobs and runs each in a process of its own."""
