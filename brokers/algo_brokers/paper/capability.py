"""What a paper account can do: what its matching engine does."""

from typing import Final

from algo_crds.contracts.wire import Capability

CAPABILITY: Final = Capability(
    broker="paper",
    convert_stop_to_exit=True,
    modify_quantity_is_total=True,
    has_trigger_status=True,
    max_modifications=25,
    visibility_delay_ms=0,
    read_by_tag=False,
    max_trigger_gap_bp=1_000,
    intraday=True,
    delivery=False,
    short=True,
)
