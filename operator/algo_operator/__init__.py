"""Reconciles Tenants, BrokerAccounts, MarketDataSources and Strategies into namespaces, pods, users and status."""
