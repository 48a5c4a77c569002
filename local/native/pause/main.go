// Pause holds a pod's namespaces open and does nothing else: it waits for a signal to end.
package main

import (
	"os/signal"
	"syscall"

	"os"
)

func main() {
	done := make(chan os.Signal, 1)
	signal.Notify(done, syscall.SIGINT, syscall.SIGTERM)
	<-done
}
