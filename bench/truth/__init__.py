"""What becomes of a catalogue while the web misbehaves: simulated hours, the real checker, made-up hosts."""
