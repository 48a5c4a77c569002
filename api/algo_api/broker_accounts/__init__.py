"""Broker accounts: credentials, logins and the BrokerAccount resource."""
