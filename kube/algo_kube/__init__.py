"""The one Kubernetes client: typed errors, watches with selectors, server-side apply."""
