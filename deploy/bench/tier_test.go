package main

import "testing"

func TestMetricIsAddedUpOverItsLabels(t *testing.T) {
	const metrics = `# HELP manifold_connections connections
# TYPE manifold_connections gauge
manifold_connections{protocol="amqp+edges"} 1
manifold_connections{protocol="a name of two words"} 2
manifold_connections_total{protocol="mqtt"} 40
go_memstats_heap_alloc_bytes 2.5e+07
`
	for name, want := range map[string]float64{
		"manifold_connections": 3, "manifold_connections_total": 40, "go_memstats_heap_alloc_bytes": 25_000_000, "manifold": 0,
	} {
		if got := total(metrics, name); got != want {
			t.Errorf("%s is %g, want %g", name, got, want)
		}
	}
}
