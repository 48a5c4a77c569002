"""The front end that speaks Kite Connect v3, written from the documented protocol and tested with its official SDK."""
