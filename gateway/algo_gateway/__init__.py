"""One broker account, one door: session, limits, feed, order rows."""
