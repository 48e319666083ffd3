package dispatch

import (
	"cmp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/gateway/config"
)

// router translates what the router is.
func (t *translator) router(e *entity) error {
	var err error
	if t.mode, err = e.choice("standalone", []string{"standalone", "interior", "edge"}, "mode"); err != nil {
		return err
	}
	id := e.text("id")
	if id == "" && t.mode != "standalone" {
		return refusal("Missing required attribute 'id'")
	}
	if err := checkID(id); err != nil {
		return err
	}
	t.out.Config.Network.ContainerID = cmp.Or(id, "Standalone")
	if t.mode != "standalone" {
		t.out.Config.Network.Router.ID, t.out.Config.Network.Router.Mode = id, t.mode
	}
	t.out.Config.Network.Metadata = e.text("metadata")
	if t.distribution, err = e.choice("balanced", distributions, "defaultDistribution"); err != nil {
		return err
	}
	if t.out.Config.Network.ResumableLinks, err = e.flag(true, "allowResumableLinkRoute"); err != nil {
		return err
	}
	utc, err := e.flag(false, "timestampsInUTC")
	if err != nil {
		return err
	}
	t.out.Time = TimeFormat{UTC: utc, Layout: e.text("timestampFormat")}
	if err := t.timers(e); err != nil {
		return err
	}
	if t.out.Workers, err = e.number(0, "workerThreads"); err != nil {
		return err
	}
	e.lacks("workerThreads", "the gateway takes as many as the machine has; GOMAXPROCS bounds them")
	e.lacks("debugDumpFile", "there is nothing that it would have: profiles are at the admin door (admin.profiling)")
	e.lacks("debugDump", "there is nothing that it would have: profiles are at the admin door (admin.profiling)")
	for _, name := range []string{"saslConfigDir", "saslConfigPath", "saslConfigName"} {
		e.lacks(name, "users are declared by the tenant, with what `manifold passwd` makes of their passwords")
	}
	return nil
}

// maxID is the length of a router's id, in characters.
const maxID = 127

// checkID refuses an id that is not one word of this length.
func checkID(id string) error {
	if utf8.RuneCountInString(id) > maxID {
		return refusal("Router ID %q exceeds the maximum allowed length (%d characters)", id, maxID)
	}
	if i := strings.IndexFunc(id, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) }); i >= 0 {
		r, _ := utf8.DecodeRuneInString(id[i:])
		return refusal("AttributeError: Router id attribute containing character %q in id %q is disallowed.", r, id)
	}
	return nil
}

// timers translates when a router of a network says what.
func (t *translator) timers(e *entity) error {
	r := &t.out.Config.Network.Router
	for _, timer := range []struct {
		names   []string
		setting *time.Duration
	}{
		{[]string{"helloIntervalSeconds", "helloInterval"}, &r.Hello},
		{[]string{"helloMaxAgeSeconds", "helloMaxAge"}, &r.HelloMaxAge},
		{[]string{"raIntervalSeconds", "raInterval"}, &r.Advertise},
		{[]string{"raIntervalFluxSeconds", "raIntervalFlux"}, &r.AdvertiseInFlux},
		{[]string{"remoteLsMaxAgeSeconds", "remoteLsMaxAge"}, &r.RemoteStateMaxAge},
	} {
		var err error
		if *timer.setting, err = e.seconds(*timer.setting, timer.names...); err != nil {
			return err
		}
	}
	return nil
}

// distributions are what may happen to what is sent to an address.
var distributions = []string{"multicast", "closest", "balanced", "unavailable"}

// setDistribution has an address do that. It is false for one that is not to be used.
func setDistribution(a *config.Address, distribution string) (available bool) {
	a.Kind = addressing.Anycast
	switch distribution {
	case "multicast":
		a.Kind = addressing.Broadcast
	case "closest":
		a.Distribution = addressing.Closest
	case "unavailable":
		return false
	}
	return true
}

// defaultDistribution has addresses that are not declared be there, as they are for a router.
func (t *translator) defaultDistribution() {
	rest := config.Address{Name: tokens("#")}
	if setDistribution(&rest, cmp.Or(t.distribution, "balanced")) {
		t.tenant.Addresses = append(t.tenant.Addresses, rest)
	}
}

// tokens gives a filter of tokens that is known to be one.
func tokens(pattern string) addressing.Filter {
	f, err := addressing.ParseTokens(pattern)
	if err != nil {
		panic(err)
	}
	return f
}
