"""The paper account: orders matched against the market's ticks by the simulated exchange's own engine."""

from algo_brokers.paper.adapter import create_paper_broker
from algo_brokers.paper.exchange import PaperExchange

__all__ = ["PaperExchange", "create_paper_broker"]
