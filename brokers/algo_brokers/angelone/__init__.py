"""Angel One: SmartAPI."""

from algo_brokers.angelone.adapter import ENDPOINTS, create_broker, create_login, simulated
from algo_brokers.angelone.capability import CAPABILITY, FACTS

__all__ = ["CAPABILITY", "ENDPOINTS", "FACTS", "create_broker", "create_login", "simulated"]
