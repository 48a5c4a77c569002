"""Tenants: a row here, a Tenant resource in the cluster."""
