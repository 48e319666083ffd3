//go:build interop

package interop

import (
	"path/filepath"
	"testing"

	"github.com/manifoldmq/manifold/gateway/gatewaytest"
)

// TestNodeCoAP runs the checks of testdata/coap/node_checks.cjs. node-coap's own tests are of its client with a server that each
// of them scripts, and have none that would take another server.
func TestNodeCoAP(t *testing.T) {
	need(t, "node", nodeCoAP)
	g := startCoAP(t, gatewaytest.New(t))
	report(t, node(t, filepath.Join("testdata", "coap", "node_checks.cjs"), g.doors["coap"]))
}
