"""A new broker: copy this folder, then fill it in. `README.md` says what belongs where.

What is not filled in raises `NotImplementedError` before anything is sent, and `CAPABILITY` lets no strategy trade.
"""

from algo_brokers._template.adapter import ENDPOINTS, create_broker, create_login, create_public_list, simulated
from algo_brokers._template.capability import CAPABILITY, FACTS

__all__ = ["CAPABILITY", "ENDPOINTS", "FACTS", "create_broker", "create_login", "create_public_list", "simulated"]
