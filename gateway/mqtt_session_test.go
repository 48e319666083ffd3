package gateway

import (
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	paho3 "github.com/eclipse/paho.mqtt.golang"
)

// mqttDevice connects a client of MQTT 3.1.1 whose session outlives its connection.
func mqttDevice(t *testing.T, door, id string, arrive func(string)) paho3.Client {
	t.Helper()
	options := paho3.NewClientOptions().AddBroker("tcp://" + door).SetClientID(id).SetCleanSession(false).
		SetAutoReconnect(false).SetOrderMatters(true).
		SetDefaultPublishHandler(func(_ paho3.Client, m paho3.Message) { arrive(string(m.Payload())) })
	client := paho3.NewClient(options)
	t.Cleanup(func() { client.Disconnect(0) })
	if err := wait(client.Connect()); err != nil {
		t.Fatal(err)
	}
	return client
}

// TestMQTTSessionSurvivesTheEndOfTheProcess: what is published with every QoS while a device is away, before and after
// the power was cut, reaches it when it comes back.
func TestMQTTSessionSurvivesTheEndOfTheProcess(t *testing.T) {
	disk, c := vfs.NewCrashableMem(), quickstart(t)
	c.DataDir = "data"
	var after *vfs.MemFS
	t.Run("before the power cut", func(t *testing.T) {
		doors := startOn(t, disk, c, slog.New(slog.DiscardHandler))
		device := mqttDevice(t, doors["mqtt"], "device", func(string) {})
		if err := wait(device.Subscribe("telemetry/#", 2, nil)); err != nil {
			t.Fatal(err)
		}
		device.Disconnect(0)
		publisher := mqttDevice(t, doors["mqtt"], "publisher", func(string) {})
		for _, text := range []string{"one", "two"} {
			if err := wait(publisher.Publish("telemetry/a", 2, false, text)); err != nil {
				t.Fatal(err)
			}
		}
		after = disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: rand.New(rand.NewPCG(1, 2))})
	})
	if t.Failed() {
		return
	}
	doors := startOn(t, after, c, slog.New(slog.DiscardHandler))
	publisher := mqttDevice(t, doors["mqtt"], "publisher", func(string) {})
	if err := wait(publisher.Publish("telemetry/b", 1, false, "three")); err != nil {
		t.Fatal(err)
	}
	came := make(chan string, 10)
	mqttDevice(t, doors["mqtt"], "device", func(text string) { came <- text })
	for _, want := range []string{"one", "two", "three"} {
		select {
		case got := <-came:
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		case <-time.After(time.Minute):
			t.Fatalf("%q does not come", want)
		}
	}
}
