"""Places one order with the official SDK and reports what the SDK makes of the answer, and of the book after it."""

import json
import sys

from dhanhq import DhanContext, dhanhq
from hosts import report

dhan = dhanhq(DhanContext(sys.argv[2], sys.argv[3]))
answer = dhan.place_order("2885", dhan.NSE, dhan.BUY, 1, dhan.LIMIT, dhan.INTRA, 1990.0, tag="one-order")
book = dhan.get_order_list()
print(json.dumps({"answer": answer, "book": book}, default=str), file=report)
