"""The Fyers front end: API v3, the binary market socket (HSM) and the order socket."""
