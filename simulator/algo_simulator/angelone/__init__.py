"""The front end that speaks SmartAPI of Angel One, written from its documentation and tested with its official SDK."""
