"""Everything in the tests that is not a test."""
