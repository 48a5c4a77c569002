"""`.status`: how it is composed (pure) and the one place that writes it."""
