"""Dhan: DhanHQ API v2."""

from algo_brokers.dhan.adapter import ENDPOINTS, create_broker, create_login, simulated
from algo_brokers.dhan.capability import CAPABILITY, FACTS
from algo_brokers.dhan.reads import create_public_list

__all__ = ["CAPABILITY", "ENDPOINTS", "FACTS", "create_broker", "create_login", "create_public_list", "simulated"]
