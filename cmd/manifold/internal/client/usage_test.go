package client

import (
	"strings"
	"testing"
)

func TestBadFlagsAreRefusedBeforeAnythingIsSent(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"send", "accepts between 1 and 2 arg(s)"},
		{"send a b --count 0", "--count 0"},
		{"send a b --in-flight 0", "--in-flight 0"},
		{"send a b --in-flight 5000", "--in-flight 5000"},
		{"send a b --timeout 0s", "--timeout 0s"},
		{"send a b --priority 10", "--priority 10"},
		{"send a b --ttl 1ns", "--ttl 1ns"},
		{"send a b --ttl 2000h", "--ttl 2000h"},
		{"send a b --property x", "--property takes NAME=VALUE"},
		{"send a b --property x=1 --property x=2", "--property x is given twice"},
		{"send a b --file c", "BODY and --file exclude each other"},
		{"send a --file no/such/file", "no such file"},
		{"send a b --url localhost:5672", "--url"},
		{"send a b --url http://localhost", "neither amqp:// nor amqps://"},
		{"send a b --url amqp://h/path", "--url does not look like"},
		{"receive", "accepts 1 arg(s)"},
		{"receive a --count -1", "--count -1"},
		{"receive a --timeout -1s", "--timeout -1s"},
		{"receive a --credit 0", "--credit 0"},
		{"receive a --accept --reject", "[accept reject]"},
		{"receive a --json -v", "[json verbose]"},
		{"receive a --subscription a/b", `"a/b" is no name of a subscription`},
		{"receive a --subscription=", `"" is no name of a subscription`},
	} {
		args := strings.Fields(c.args)
		cmd := NewSendCommand()
		if args[0] == "receive" {
			cmd = NewReceiveCommand()
		}
		_, err := call(t.Context(), cmd, strings.NewReader(""), args[1:]...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.args, err, c.want)
		}
	}
}

func TestPasswordIsNeverRepeated(t *testing.T) {
	closed := listen(t)
	closed.Close()
	for _, url := range []string{
		"amqp://ann:secret@" + closed.Addr().String(), "amqp://ann:secret@%zz:1", "ftp://ann:secret@host",
		"ann:secret@host:1",
	} {
		_, err := call(t.Context(), NewSendCommand(), strings.NewReader(""), "a", "b", "--url", url)
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v", url, err)
		}
	}
}

func TestConnectionThatFailsIsSaidInASentence(t *testing.T) {
	closed := listen(t)
	closed.Close()
	_, err := call(t.Context(), NewReceiveCommand(), strings.NewReader(""),
		"a", "--url", "amqp://"+closed.Addr().String())
	wantError(t, err, "nobody listens at "+closed.Addr().String()+" (connection refused)")

	silent := listen(t)
	defer silent.Close()
	_, err = call(t.Context(), NewSendCommand(), strings.NewReader(""),
		"a", "b", "--timeout", "100ms", "--url", "amqp://"+silent.Addr().String())
	wantError(t, err, silent.Addr().String()+" has not answered within 100ms")

	stranger := listen(t)
	defer stranger.Close()
	go func() {
		if c, err := stranger.Accept(); err == nil {
			c.Close()
		}
	}()
	_, err = call(t.Context(), NewSendCommand(), strings.NewReader(""),
		"a", "b", "--url", "amqp://"+stranger.Addr().String())
	wantError(t, err, "it may not speak AMQP 1.0")

	h := newHouse(t)
	_, err = call(t.Context(), NewSendCommand(), strings.NewReader(""),
		"a", "b", "--url", strings.Replace(h.url, "amqp://", "amqp://ann%40closed:secret@", 1))
	wantError(t, err, "refuses this user name and password")
}
