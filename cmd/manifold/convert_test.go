package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/manifoldmq/manifold/gateway/config"
)

func TestConvertWritesWhatCheckTakes(t *testing.T) {
	folder := t.TempDir()
	file := write(t, folder, "qdrouterd.conf", `router {
    id: Cellar
    workerThreads: 4
}
listener {
    host: 127.0.0.1
    port: amqp
}
address {
    prefix: news
    distribution: multicast
}
`)
	var out, said bytes.Buffer
	if code := execute(t.Context(), []string{"convert", file}, &out, &said); code != exitOK {
		t.Fatalf("exit code %d: %s", code, said.String())
	}
	if want := file + ":3: router.workerThreads: "; !strings.HasPrefix(said.String(), want) {
		t.Errorf("it said %q, want %q first", said.String(), want)
	}
	c, err := config.Parse("converted.yaml", out.Bytes())
	if err != nil {
		t.Fatalf("%v in\n%s", err, out.String())
	}
	if len(c.AMQP.Listeners) != 1 || c.AMQP.Listeners[0].Port != 5672 || c.MQTT.Enabled || c.Admin.Enabled {
		t.Errorf("it listens at %+v", c.AMQP.Listeners)
	}
	if c.Tenants[0].Addresses[0].Name.String() != "tokens:news/#" {
		t.Errorf("addresses %+v", c.Tenants[0].Addresses)
	}
}

func TestConvertTellsWhereAFileIsWrong(t *testing.T) {
	file := write(t, t.TempDir(), "wrong.conf", "router {\n id A\n}\n")
	var out, said bytes.Buffer
	if code := execute(t.Context(), []string{"convert", file}, &out, &said); code != exitUsage || !strings.Contains(said.String(), "line 2") {
		t.Errorf("exit code %d: %s", code, said.String())
	}
}
