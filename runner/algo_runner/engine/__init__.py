"""The strategy engine: a pure function from state, event and time to state and actions. See `step`."""
