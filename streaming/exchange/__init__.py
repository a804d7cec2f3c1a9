"""Import and export of the catalogue. Each format is a pure module; `loader` reads the rows."""
