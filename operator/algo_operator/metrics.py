"""Prometheus metrics of the operator; names carry the unit."""

from prometheus_client import Counter, Gauge, Histogram

RECONCILES = Counter("algo_operator_reconciles_total", "Reconciles by kind and result", ["kind", "result"])
RECONCILE_SECONDS = Histogram(
    "algo_operator_reconcile_seconds",
    "Time of one reconcile",
    ["kind"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
QUEUE_LENGTH = Gauge("algo_operator_queue_length", "Keys that wait for a reconcile")
QUEUE_ACTIVE = Gauge("algo_operator_queue_active", "Reconciles that run now")
QUEUE_FAILING = Gauge("algo_operator_queue_failing", "Keys whose last reconcile failed")
WRITES = Counter("algo_operator_writes_total", "Writes of children to the API server", ["kind", "verb"])
STATUS_WRITES = Counter("algo_operator_status_writes_total", "Writes of status", ["kind"])
STATUS_SKIPPED = Counter("algo_operator_status_postponed_total", "Status writes put off because only figures moved")
POD_REPLACEMENTS = Counter("algo_operator_pod_replacements_total", "Pods deleted by the operator", ["kind", "reason"])
EPOCHS = Counter("algo_operator_epochs_total", "Epochs minted")
WATCH_AGE_SECONDS = Gauge("algo_operator_watch_age_seconds", "Time since a watch last gave a sign of life", ["kind"])
LOOP_LAG_SECONDS = Gauge("algo_operator_loop_lag_seconds", "How late the event loop ran its last timer")
LEADER = Gauge("algo_operator_leader", "1 while this process holds the lease")
RUNTIME_UP = Gauge("algo_operator_redis_up", "1 while Redis answers")
EVENTS_POSTED = Counter("algo_operator_events_total", "Kubernetes events written", ["type"])
EVENTS_DROPPED = Counter("algo_operator_events_dropped_total", "Kubernetes events kept back by the token bucket")
STUCK_DELETIONS = Gauge("algo_operator_stuck_deletions", "Resources past their deletion deadline")
