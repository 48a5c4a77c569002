"""Names, keys, clocks, vocabularies and messages that cross a process boundary; no pydantic here."""
