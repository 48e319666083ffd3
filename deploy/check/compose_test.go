package check

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// composed reads the compose file as Compose does, which checks it by the schema of the specification.
func composed(t *testing.T) *types.Project {
	t.Helper()
	folder, err := filepath.Abs(filepath.Join("..", "compose"))
	if err != nil {
		t.Fatal(err)
	}
	project, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir:  folder,
		ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(folder, "compose.yaml")}},
		Environment: types.Mapping{},
	})
	if err != nil {
		t.Fatal(err)
	}
	return project
}

// TestComposeFileNamesWhatThereIs: files that are mounted, or built from, exist.
func TestComposeFileNamesWhatThereIs(t *testing.T) {
	for name, service := range composed(t).Services {
		for _, volume := range service.Volumes {
			if volume.Type != types.VolumeTypeBind {
				continue
			}
			if _, err := os.Stat(volume.Source); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if !volume.ReadOnly {
				t.Errorf("%s may write to %s", name, volume.Source)
			}
		}
		if service.Build != nil {
			if _, err := os.Stat(filepath.Join(service.Build.Context, service.Build.Dockerfile)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestComposeFileIsForThisMachineOnly: no port is published to others, where anybody could send and receive.
func TestComposeFileIsForThisMachineOnly(t *testing.T) {
	for name, service := range composed(t).Services {
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s publishes %s at %q", name, port.Published, port.HostIP)
			}
		}
	}
}

// TestComposeFilePublishesEachDoor that its configuration opens, but not the admin door.
func TestComposeFilePublishesEachDoor(t *testing.T) {
	gateway := composed(t).Services["manifold"]
	published := make(map[string]bool)
	for _, port := range gateway.Ports {
		published[port.Protocol+" "+port.Published] = true
	}
	for name, port := range checked(t, filepath.Join("..", "compose", "manifold.yaml")) {
		protocol := "tcp"
		if name == "coap" {
			protocol = "udp"
		}
		if published[protocol+" "+port] == (name == "admin") {
			t.Errorf("%s at %s %s: published is %t", name, protocol, port, published[protocol+" "+port])
		}
	}
	if !gateway.ReadOnly || len(gateway.CapDrop) != 1 || gateway.CapDrop[0] != "ALL" {
		t.Error("the gateway may do more than it has to")
	}
}
