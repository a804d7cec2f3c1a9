"""Link health: probing, judging, guarding, sweeping, pruning, reporting."""
