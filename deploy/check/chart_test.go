package check

import (
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
)

// everything is a set of values that uses each part of the chart.
const everything = `
image: {repository: registry.example/manifold, tag: "1.2"}
imagePullSecrets: [{name: registry}]
config:
  anonymous: true
  store: {maxQueues: 12345678}
  mqtt: {port: 11883, webSocket: {tlsPort: 18084}}
  stomp: {enabled: false}
  coap: {tcp: false}
  tls: {clientAuth: optional}
  addresses: [{name: jobs, kind: queue}]
tls: {secretName: certificate, clientCA: true}
secrets: [hooks, more]
persistence: {storageClass: fast, size: 1Ti}
service:
  type: LoadBalancer
  externalTrafficPolicy: Local
  annotations: {example.org/pool: public}
  loadBalancerSourceRanges: [192.0.2.0/24]
networkPolicy:
  clients: [{namespaceSelector: {}}]
  monitoring: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]
  egress: [{to: [{ipBlock: {cidr: 192.0.2.0/24}}]}]
serviceMonitor: {enabled: true, labels: {release: prometheus}}
podAnnotations: {example.org/note: "yes"}
podLabels: {example.org/team: messaging}
nodeSelector: {disk: fast}
tolerations: [{operator: Exists}]
affinity: {nodeAffinity: {}}
priorityClassName: high
`

// plain is a set of values with what most people set.
const plain = `
config:
  anonymous: true
  addresses: [{name: jobs, kind: queue}]
`

// rendered are the objects that the chart makes.
type rendered struct {
	configuration string // manifold.yaml of the ConfigMap; empty without one
	set           *apps.StatefulSet
	service       *core.Service
	headless      *core.Service
	budget        *policy.PodDisruptionBudget
	network       *networking.NetworkPolicy
	monitor       *monitoring.ServiceMonitor
}

// manifests renders the chart with values, as `helm install` does: the text of each template.
func manifests(values string) (map[string]string, error) {
	chart, err := loader.Load(filepath.Join("..", "helm", "manifold"))
	if err != nil {
		return nil, err
	}
	given, err := chartutil.ReadValues([]byte(values))
	if err != nil {
		return nil, err
	}
	release := chartutil.ReleaseOptions{Name: "messages", Namespace: "default", Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(chart, given, release, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	return engine.Render(chart, all)
}

// render gives the objects that the chart makes of values. One that Kubernetes would not know, or a field of one, is an error.
func render(t *testing.T, values string) (r rendered) {
	t.Helper()
	templates, err := manifests(values)
	if err != nil {
		t.Fatal(err)
	}
	decoder := newDecoder(t)
	for name, text := range templates {
		if strings.Contains(text, "<no value>") {
			t.Errorf("%s has a value that there is not:\n%s", name, text)
		}
		if path.Ext(name) != ".yaml" || strings.TrimSpace(text) == "" {
			continue
		}
		object, _, err := decoder.Decode([]byte(text), nil, nil)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		r.take(t, object)
	}
	return r
}

func (r *rendered) take(t *testing.T, object runtime.Object) {
	t.Helper()
	switch o := object.(type) {
	case *core.ConfigMap:
		r.configuration = o.Data["manifold.yaml"]
	case *core.Service:
		if o.Spec.ClusterIP == core.ClusterIPNone {
			r.headless = o
		} else {
			r.service = o
		}
	case *apps.StatefulSet:
		r.set = o
	case *policy.PodDisruptionBudget:
		r.budget = o
	case *networking.NetworkPolicy:
		r.network = o
	case *monitoring.ServiceMonitor:
		r.monitor = o
	default:
		t.Errorf("%T is none of the objects that the chart makes", object)
	}
}

// newDecoder makes a decoder of objects that refuses what is not a field of theirs.
func newDecoder(t *testing.T) *json.Serializer {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		core.AddToScheme, apps.AddToScheme, policy.AddToScheme, networking.AddToScheme, monitoring.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	return json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{Yaml: true, Strict: true})
}

// pod is the only container of the chart, and what is around it.
func (r *rendered) pod() (*core.PodSpec, *core.Container) {
	spec := &r.set.Spec.Template.Spec
	return spec, &spec.Containers[0]
}

// openDoor is a line of `manifold check`.
var openDoor = regexp.MustCompile(`(?m)^  (\S+) at port (\d+)$`)

// checked has manifold check a configuration, and gives the port of each door that it opens.
func checked(t *testing.T, file string) map[string]string {
	t.Helper()
	doors := make(map[string]string)
	for _, line := range openDoor.FindAllStringSubmatch(output(t, binary, "check", "-c", file), -1) {
		doors[line[1]] = line[2]
	}
	if len(doors) == 0 {
		t.Fatalf("%s opens no door", file)
	}
	return doors
}
