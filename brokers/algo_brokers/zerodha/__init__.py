"""Zerodha: Kite Connect 3."""

from algo_brokers.zerodha.adapter import ENDPOINTS, create_broker, create_login, create_public_list, simulated
from algo_brokers.zerodha.capability import CAPABILITY, FACTS

__all__ = ["CAPABILITY", "ENDPOINTS", "FACTS", "create_broker", "create_login", "create_public_list", "simulated"]
