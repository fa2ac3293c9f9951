// Sleep does nothing: calls are made from its container, by probe.
package main

import "meshproof.invalid/workloads/holding"

func main() {
	holding.UntilEnded()
}
