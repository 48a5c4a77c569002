"""One strategy over one session in a world of its own, through the same doors that a trader uses: API, login, SSE."""
