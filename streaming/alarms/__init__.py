"""Messages to the operator: what holds now, what began or ended, and how it is sent. See decision 0027."""
