"""Zerodha's Kite Connect v3: pure builders and parsers with a thin asynchronous shell around them."""

from algo_brokers.zerodha.adapter import Endpoints, create_zerodha_broker

__all__ = ["Endpoints", "create_zerodha_broker"]
