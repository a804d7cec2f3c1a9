"""The one way in: whatever becomes a row of the catalogue passes here."""
