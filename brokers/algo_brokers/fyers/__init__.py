"""Fyers: API v3."""

from algo_brokers.fyers.adapter import ENDPOINTS, create_broker, create_login, create_public_list, simulated
from algo_brokers.fyers.capability import CAPABILITY, FACTS

__all__ = ["CAPABILITY", "ENDPOINTS", "FACTS", "create_broker", "create_login", "create_public_list", "simulated"]
