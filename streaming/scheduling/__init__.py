"""The schedule: commands that run by themselves, without cron. See decision 0028."""
