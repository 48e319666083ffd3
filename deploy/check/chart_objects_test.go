package check

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
	security "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// cases are the sets of values that what holds for all of them is tried with.
var cases = map[string]string{
	"nothing":       "",
	"plain":         plain,
	"everything":    everything,
	"keys":          "config: {tenants: [{name: a, users: [{name: d, preSharedKey: c2VjcmV0LWtleS1vZi1kZXZpY2U=}]}]}",
	"certificate":   "tls: {secretName: certificate}",
	"a secret":      "configSecret: configuration",
	"few doors":     "config: {anonymous: true, mqtt: {enabled: false}, amqp: {enabled: false}, coap: {enabled: false}, http: {port: 80}}",
	"no web socket": "config: {anonymous: true, mqtt: {webSocket: {enabled: false}}, admin: {port: 9000}}",
	"nothing extra": "{podDisruptionBudget: {enabled: false}, networkPolicy: {enabled: false}, goMemoryLimit: ''}",
}

func each(t *testing.T, try func(*testing.T, rendered)) {
	for name, values := range cases {
		t.Run(name, func(t *testing.T) { try(t, render(t, values)) })
	}
}

// TestChartHasTheObjectsItIsAskedFor and no others.
func TestChartHasTheObjectsItIsAskedFor(t *testing.T) {
	for name, want := range map[string][4]bool{ // configuration, budget, network, monitor
		"plain": {true, true, true, false}, "everything": {true, true, true, true},
		"a secret": {false, true, true, false}, "nothing extra": {true, false, false, false},
	} {
		r := render(t, cases[name])
		got := [4]bool{r.configuration != "", r.budget != nil, r.network != nil, r.monitor != nil}
		if r.set == nil || r.service == nil || r.headless == nil || got != want {
			t.Errorf("%s makes %v, want %v", name, got, want)
		}
	}
}

// TestPodsArePolicedAsRestricted by the Pod Security Standards, as the API server does it.
func TestPodsArePolicedAsRestricted(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	level := security.LevelVersion{Level: security.LevelRestricted, Version: security.LatestVersion()}
	each(t, func(t *testing.T, r rendered) {
		spec, container := r.pod()
		for _, result := range evaluator.EvaluatePod(level, &r.set.Spec.Template.ObjectMeta, spec) {
			if !result.Allowed {
				t.Errorf("%s: %s", result.ForbiddenReason, result.ForbiddenDetail)
			}
		}
		if !*container.SecurityContext.ReadOnlyRootFilesystem || *spec.AutomountServiceAccountToken {
			t.Error("the pod may write to its image, or speak to the API server")
		}
	})
}

// TestConfigurationOpensThePortsOfThePod: `manifold check` takes it, and the doors that it names are those of the pod.
func TestConfigurationOpensThePortsOfThePod(t *testing.T) {
	each(t, func(t *testing.T, r rendered) {
		if r.configuration == "" {
			return // it is in a Secret, which the chart does not make
		}
		want := make(map[string]string)
		for name, port := range checked(t, write(t, "manifold.yaml", r.configuration)) {
			want[strings.ReplaceAll(name, "+", "-")] = port
		}
		got := make(map[string]string)
		_, container := r.pod()
		for _, p := range container.Ports {
			got[p.Name] = fmt.Sprint(p.ContainerPort)
			if udp := p.Name == "coap" || p.Name == "coaps"; udp != (p.Protocol == core.ProtocolUDP) {
				t.Errorf("%s is a port of %s", p.Name, p.Protocol)
			}
		}
		if !maps.Equal(got, want) {
			t.Errorf("the pod has the ports %v, manifold opens %v", got, want)
		}
	})
}

// TestLargeNumbersStayAsTheyAre on their way through Helm, which has made 1e+07 of them.
func TestLargeNumbersStayAsTheyAre(t *testing.T) {
	if r := render(t, everything); !strings.Contains(r.configuration, "maxQueues: 12345678\n") {
		t.Errorf("the configuration is\n%s", r.configuration)
	}
}

// TestServicesLeadToThePod by its labels and the names of its ports, and only the headless one to the admin door.
func TestServicesLeadToThePod(t *testing.T) {
	each(t, func(t *testing.T, r rendered) {
		_, container := r.pod()
		var doors []string
		for _, p := range container.Ports {
			doors = append(doors, p.Name)
			if wrong := validation.IsValidPortName(p.Name); len(wrong) > 0 {
				t.Errorf("%s: %v", p.Name, wrong)
			}
		}
		for _, s := range []*core.Service{r.service, r.headless} {
			if !maps.Equal(s.Spec.Selector, identity) {
				t.Errorf("%s selects %v", s.Name, s.Spec.Selector)
			}
			var names []string
			for _, p := range s.Spec.Ports {
				names = append(names, p.TargetPort.String())
			}
			want := slices.DeleteFunc(slices.Clone(doors), func(name string) bool { return name == "admin" && s == r.service })
			if !slices.Equal(names, want) {
				t.Errorf("%s has the ports %v, want %v", s.Name, names, want)
			}
		}
		if r.set.Spec.ServiceName != r.headless.Name {
			t.Errorf("the pod's name is given by %s, not %s", r.set.Spec.ServiceName, r.headless.Name)
		}
	})
}

// identity is what the pod is known by, whichever version it has: what selects it must not change with that.
var identity = map[string]string{"app.kubernetes.io/name": "manifold", "app.kubernetes.io/instance": "messages"}

// TestSelectorsFindThePod: those of the set itself, of the budget and of the network's policy.
func TestSelectorsFindThePod(t *testing.T) {
	each(t, func(t *testing.T, r rendered) {
		pod := r.set.Spec.Template.Labels
		if !labels.SelectorFromSet(identity).Matches(labels.Set(pod)) {
			t.Errorf("the pod has the labels %v", pod)
		}
		selectors := map[string]map[string]string{"the set": r.set.Spec.Selector.MatchLabels}
		if r.budget != nil {
			selectors["the budget"] = r.budget.Spec.Selector.MatchLabels
		}
		if r.network != nil {
			selectors["the policy"] = r.network.Spec.PodSelector.MatchLabels
		}
		for who, selector := range selectors {
			if !maps.Equal(selector, identity) {
				t.Errorf("%s selects %v", who, selector)
			}
		}
		for key, value := range pod {
			if wrong := append(validation.IsQualifiedName(key), validation.IsValidLabelValue(value)...); len(wrong) > 0 {
				t.Errorf("label %s %q: %v", key, value, wrong)
			}
		}
	})
}

// TestMonitorFindsTheAdminDoor: by the labels of the headless service, under the job that rules and dashboard know.
func TestMonitorFindsTheAdminDoor(t *testing.T) {
	r := render(t, everything)
	selector := labels.SelectorFromSet(r.monitor.Spec.Selector.MatchLabels)
	if !selector.Matches(labels.Set(r.headless.Labels)) || selector.Matches(labels.Set(r.service.Labels)) {
		t.Errorf("it selects %v", r.monitor.Spec.Selector.MatchLabels)
	}
	if e := r.monitor.Spec.Endpoints; len(e) != 1 || e[0].Port != "admin" || e[0].Path != "/metrics" {
		t.Errorf("it reads %v", e)
	}
	if job := r.headless.Labels[r.monitor.Spec.JobLabel]; job != "manifold" {
		t.Errorf("the job is called %q", job)
	}
}

// TestNetworkPolicyKeepsTheAdminDoor from clients, and opens it to those who are named.
func TestNetworkPolicyKeepsTheAdminDoor(t *testing.T) {
	for values, watched := range map[string]bool{plain: false, everything: true} {
		rules := render(t, values).network.Spec.Ingress
		if got := len(rules) == 2; got != watched {
			t.Fatalf("there are %d rules", len(rules))
		}
		for _, p := range rules[0].Ports {
			if p.Port.String() == "admin" {
				t.Error("clients reach the admin door")
			}
		}
		if !watched {
			continue
		}
		admin, from := rules[1].Ports, rules[1].From
		if len(admin) != 1 || admin[0].Port.String() != "admin" || len(from) != 1 || len(from[0].NamespaceSelector.MatchLabels) != 1 {
			t.Errorf("%v is open to %v", admin, from)
		}
	}
}

// TestVolumesAreThoseThatAreMounted, and secrets are where the configuration looks for them.
func TestVolumesAreThoseThatAreMounted(t *testing.T) {
	each(t, func(t *testing.T, r rendered) {
		spec, container := r.pod()
		volumes := make(map[string]core.VolumeSource)
		for _, v := range spec.Volumes {
			volumes[v.Name] = v.VolumeSource
		}
		for _, claim := range r.set.Spec.VolumeClaimTemplates {
			volumes[claim.Name] = core.VolumeSource{}
		}
		mounted := make(map[string]core.VolumeSource)
		for _, m := range container.VolumeMounts {
			mounted[m.Name] = volumes[m.Name]
			if m.ReadOnly == (m.Name == "data") {
				t.Errorf("%s: read only is %t", m.Name, m.ReadOnly)
			}
		}
		if !reflect.DeepEqual(volumes, mounted) {
			t.Errorf("there are %v, mounted are %v", volumes, mounted)
		}
	})
	r := render(t, everything)
	_, container := r.pod()
	for _, m := range container.VolumeMounts {
		if m.Name != "tls" {
			continue
		}
		for _, line := range []string{"certificate: /tls.crt", "key: /tls.key", "clientCA: /ca.crt"} {
			if line = strings.Replace(line, "/", m.MountPath+"/", 1); !strings.Contains(r.configuration, line+"\n") {
				t.Errorf("there is no line %s in\n%s", line, r.configuration)
			}
		}
	}
	if secret := render(t, cases["a secret"]).set.Spec.Template.Spec.Volumes[0].Secret; secret.SecretName != "configuration" {
		t.Errorf("the configuration is in %v", secret)
	}
}

// TestProbesAskTheAdminDoor, and a stop leaves more time than clients are given.
func TestProbesAskTheAdminDoor(t *testing.T) {
	each(t, func(t *testing.T, r rendered) {
		spec, container := r.pod()
		for path, probe := range map[string]*core.Probe{"/healthz": container.LivenessProbe, "/readyz": container.ReadinessProbe} {
			if probe.HTTPGet.Path != path || probe.HTTPGet.Port.String() != "admin" {
				t.Errorf("a probe asks %v, want %s", probe.HTTPGet, path)
			}
		}
		const drain = 10 * time.Second // what drainTimeout is unless configured
		pause := time.Duration(container.Lifecycle.PreStop.Sleep.Seconds) * time.Second
		if grace := time.Duration(*spec.TerminationGracePeriodSeconds) * time.Second; grace < 2*(pause+drain) {
			t.Errorf("a stop may take %v", grace)
		}
	})
}

// TestChartRefusesWhatIsNoSetting, or would not work.
func TestChartRefusesWhatIsNoSetting(t *testing.T) {
	for _, values := range []string{
		"replicas: 3", "image: {repo: x}", "image: {repository: ''}", "config: []", "config: {dataDir: /tmp}",
		"config: {portOffset: 1}", "config: {mqtt: {port: 70000}}", "config: {http: {port: 0}}", "config: {admin: {enabled: false}}",
		"config: {mqtt: {webSocket: {port: x}}}", "persistence: {size: much}", "persistence: {accessMode: ReadWriteMany}",
		"service: {type: ExternalName}", "goMemoryLimit: 1G", "podDisruptionBudget: {maxUnavailable: 2}",
		"networkPolicy: {client: []}", "secrets: [a, a]", "terminationGracePeriodSeconds: 1", "tls: {secret: x}",
	} {
		if _, err := manifests(values); err == nil {
			t.Errorf("%s is taken", values)
		}
	}
}
