"""One level-triggered, idempotent reconcile a kind: observe, decide, render, apply what differs."""
