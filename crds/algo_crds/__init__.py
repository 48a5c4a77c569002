"""What every component shares.

`contracts` holds names, keys, money, order vocabulary and messages and imports nothing heavier than msgspec, because
the runner has 45 MB to live in. `resources` holds the custom resources as pydantic models; only the operator, the API
and tools import it.
"""
