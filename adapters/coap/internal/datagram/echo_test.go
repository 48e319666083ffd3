package datagram

import (
	"testing"
	"time"
)

func TestEchoIsFreshForItsAddressAndTime(t *testing.T) {
	shared := Shared{Limits: DefaultLimits(), EchoKey: [32]byte{1}}
	other := Shared{Limits: DefaultLimits(), EchoKey: [32]byte{2}}
	now := time.Unix(1_800_000_000, 0)
	value := shared.echo(now.Unix(), []byte("here"))
	changed := value
	changed[0]++
	for _, c := range []struct {
		name   string
		shared *Shared
		after  time.Duration
		origin string
		value  []byte
		want   bool
	}{
		{"as it was given", &shared, 0, "here", value[:], true},
		{"a while later", &shared, shared.Limits.EchoLifetime, "here", value[:], true},
		{"too late", &shared, shared.Limits.EchoLifetime + time.Second, "here", value[:], false},
		{"from the future", &shared, -time.Second, "here", value[:], false},
		{"from elsewhere", &shared, 0, "there", value[:], false},
		{"of another key", &other, 0, "here", value[:], false},
		{"of another time", &shared, 0, "here", changed[:], false},
		{"too short", &shared, 0, "here", value[:11], false},
	} {
		if got := c.shared.isFresh(now.Add(c.after), []byte(c.origin), c.value); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
