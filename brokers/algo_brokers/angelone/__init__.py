"""Angel One: SmartAPI."""

from algo_brokers.angelone.adapter import ENDPOINTS, create_broker, create_login, simulated
from algo_brokers.angelone.capability import CAPABILITY, FACTS
from algo_brokers.angelone.market_reads import create_public_list

__all__ = ["CAPABILITY", "ENDPOINTS", "FACTS", "create_broker", "create_login", "create_public_list", "simulated"]
