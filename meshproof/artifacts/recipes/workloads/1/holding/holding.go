// Package holding lets the first process of a pid namespace do what is expected of it.
package holding

import (
	"os"
	"os/signal"
	"syscall"
)

// UntilEnded waits for a signal to end, and reaps orphaned processes meanwhile.
func UntilEnded() {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for received := range signals {
		if received != syscall.SIGCHLD {
			return
		}
		reap()
	}
}

// reap collects all children that have ended: several ends may arrive as one signal.
func reap() {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if pid <= 0 || err != nil {
			return
		}
	}
}
