//go:build interop

package interop

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLabHasArtemisBehindAChainOfRouters runs the lab of four routers with Artemis as its broker.
func TestLabHasArtemisBehindAChainOfRouters(t *testing.T) {
	need(t, artemisName)
	a := createArtemis(t)
	a.runs(t)
	lab := command(t, filepath.Join("..", "..", "deploy", "labs", "redundant-path.sh"))
	lab.Env = append(os.Environ(), "MANIFOLD="+binary,
		"BROKER=127.0.0.1:"+a.port, "BROKER_USER=gateway", "BROKER_PASSWORD=secret")
	if said := output(t, lab); !strings.HasSuffix(said, "The lab has succeeded.\n") {
		t.Errorf("the lab said\n%s", said)
	}
}
