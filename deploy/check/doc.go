// Package check tries what the folders beside it put on machines with the programs and libraries that will read it there:
// the chart with Helm's engine, the types of Kubernetes and its Pod Security Standards; the compose file with Compose's own
// loader; the unit with systemd-analyze; rules, dashboard and /metrics with promtool and Prometheus.
//
// It is a module of its own, because the gateway needs none of these libraries. `make deploy-check` runs it. Debian's packages
// prometheus and systemd are installed where they are missing and apt-get can; without them it fails.
package check
