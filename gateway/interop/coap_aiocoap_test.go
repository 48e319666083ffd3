//go:build interop

package interop

import (
	"path/filepath"
	"testing"

	"github.com/manifoldmq/manifold/gateway/gatewaytest"
)

// TestAiocoap runs the checks of testdata/coap/aiocoap_checks.py over each transport.
func TestAiocoap(t *testing.T) {
	need(t, aiocoap)
	from := gatewaytest.New(t)
	g := startCoAP(t, from)
	for scheme, door := range g.coapDoors() {
		t.Run(scheme, func(t *testing.T) {
			report(t, command(t, python, filepath.Join("testdata", "coap", "aiocoap_checks.py"), door, from.File, coapKey))
		})
	}
}
