// Pause holds a pod's namespaces.
package main

import "meshproof.invalid/workloads/holding"

func main() {
	holding.UntilEnded()
}
