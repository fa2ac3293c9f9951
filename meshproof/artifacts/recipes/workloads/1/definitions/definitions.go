// Package definitions names the module whose definitions of kinds (CRDs) suites apply: those of the
// Multi-Cluster Services API, in the version that Istio is built with. No program needs them.
package definitions

import _ "sigs.k8s.io/mcs-api/config/crd"
