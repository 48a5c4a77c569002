"""Pure functions from the state of the world to Kubernetes manifests: no I/O, no clock, no randomness."""
