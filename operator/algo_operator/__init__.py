"""Reconciles the custom resources into pods, namespaces and policies."""
