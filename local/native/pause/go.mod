// The pause container that holds a pod's namespaces.
module algo.trading/local/native/pause

go 1.25.0
