package coap

import (
	"slices"
	"strings"
	"time"

	"github.com/plgd-dev/go-coap/v3/message"
	"github.com/plgd-dev/go-coap/v3/message/codes"

	"github.com/manifoldmq/manifold/adapters/coap/internal/session"
	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// The broker of draft-ietf-core-coap-pubsub-21: the topic collection is /ps, the topic of an address is /ps/conf/{address}
// and its data /ps/data/{address}. Every address of kind topic is one of its topics; those that have a name of their own, or
// that a client has configured, are listed. The data is what the topic has kept.

// atPubSub answers requests to ps and what is below.
func (c *conn) atPubSub(now time.Time, r *request, path string) error {
	part, name, _ := strings.Cut(path, "/")
	switch {
	case path == "":
		return c.atCollection(now, r)
	case part == "conf" && name != "":
		return c.atTopic(now, r, name)
	case part == "data" && name != "":
		return c.atData(now, r, name)
	default:
		return router.Errorf(router.NotFound, "no such path; want ps, ps/conf/TOPIC or ps/data/TOPIC")
	}
}

var errNoData = router.Errorf(router.NotFound, "nothing has been published to the topic")

// atCollection answers requests to the topic collection (section 2.4).
func (c *conn) atCollection(now time.Time, r *request) error {
	switch r.code {
	case codes.GET:
		return c.answerLinks(now, r, c.topicLinks(now, r, topic{}), true)
	case codeFETCH:
		var filter topic
		if err := r.decode(&filter, formatPubSub); err != nil {
			return err
		}
		links := slices.DeleteFunc(c.topicLinks(now, r, filter), func(l link) bool { return l.kinds[0] != rtConf })
		return c.answerLinks(now, r, links, true)
	case codes.POST:
		return c.createTopic(now, r)
	default:
		return errMethod
	}
}

// topicLinks gives the resources of the topics that a filter selects. Data is shown to who asks for it.
func (c *conn) topicLinks(now time.Time, r *request, filter topic) []link {
	var links []link
	wantsData := slices.Contains(r.query.list, parameter{"rt", rtData})
	for _, name := range c.topicNames(now, r) {
		if t, _ := c.topic(now, r, name); !t.matches(filter) {
			continue
		}
		if wantsData {
			links = append(links, link{target: "/ps/data/" + escapePath(name), kinds: []string{rtData}})
		} else {
			links = append(links, link{target: "/ps/conf/" + escapePath(name), kinds: []string{rtConf}})
		}
	}
	return links
}

// topicNames are those of the tenant's topics that are listed.
func (c *conn) topicNames(now time.Time, r *request) []string {
	user := r.account.user
	names := slices.DeleteFunc(c.server.topics.names(user.Tenant.Name, now), func(name string) bool {
		return !user.May(tenancy.Receive, addressing.Address(name).Filter())
	})
	for def := range user.Tenant.Addresses.All() {
		a, literal := def.Name.Literal()
		if literal && def.Kind == addressing.Topic && sees(user, def) && !slices.Contains(names, string(a)) {
			names = append(names, string(a))
		}
	}
	return names
}

// topic gives a topic as it is configured, and whether a client has done that.
func (c *conn) topic(now time.Time, r *request, name string) (t topic, configured bool) {
	if t, configured = c.server.topics.get(r.account.user.Tenant.Name, name, now); configured {
		return t, true
	}
	return newTopic(name), false
}

// declared tells whether the configuration of the tenant names a topic, which is there without being created.
func declared(r *request, name string) bool {
	def, ok := r.account.user.Tenant.Addresses.Lookup(addressing.Address(name))
	if !ok {
		return false
	}
	_, literal := def.Name.Literal()
	return literal
}

// isTopic checks that a name is that of an address of kind topic.
func (c *conn) isTopic(r *request, name string) error {
	a, err := parseAddress(name)
	if err == nil && c.server.config.Router.KindOf(r.account.user, a) != addressing.Topic {
		err = router.Errorf(router.NotFound, "no address of kind topic has this name")
	}
	return err
}

// mayConfigure checks that who publishes to a topic configures it.
func mayConfigure(r *request, name string) error {
	if !r.account.user.May(tenancy.Send, addressing.Address(name).Filter()) {
		return router.Errorf(router.Denied, "not allowed to send to %s, and so not to configure it", name)
	}
	return nil
}

// createTopic answers POST of the collection (section 2.4.3).
func (c *conn) createTopic(now time.Time, r *request) error {
	var said topic
	if err := r.decode(&said, formatPubSub); err != nil {
		return err
	}
	if said.Name == "" || said.ResourceType == "" {
		return router.Errorf(router.Malformed, "topic-name and resource-type are required")
	}
	if err := c.isTopic(r, said.Name); err != nil {
		return router.Errorf(router.Denied, "topic-name: %v", err)
	}
	if err := mayConfigure(r, said.Name); err != nil {
		return err
	}
	if _, configured := c.topic(now, r, said.Name); configured || declared(r, said.Name) {
		return router.Errorf(router.Malformed, "topic-name: there is a topic of this name")
	}
	t, err := newTopic(said.Name).with(said)
	if err != nil {
		return err
	}
	if !c.server.topics.put(r.account.user.Tenant.Name, t, now) {
		return router.Errorf(router.Quota, "clients have configured too many topics (coap.maxTopics)")
	}
	var o options
	o.path("ps/conf/" + t.Name)
	created := t.response(codes.Created, o)
	if said.Initialize == nil {
		c.respond(now, r.exchange, created)
		return nil
	}
	if r.format, r.body = noFormat, said.Initialize; t.Format != nil {
		r.format = int(*t.Format)
	}
	return c.publish(now, r, t.Name, created)
}

// response gives the topic's representation behind options that have been gathered.
func (t topic) response(code codes.Code, o options) session.Response {
	o.number(message.ContentFormat, formatPubSub)
	return session.Response{Code: code, Options: message.Options(o), Body: t.encode()}
}

// decode reads a body of CBOR, which must be of this format if the client says one.
func (r *request) decode(into any, format int) error {
	if r.format != noFormat && r.format != format && r.format != int(message.AppCBOR) {
		return refuse(codes.UnsupportedMediaType, "the body must be CBOR")
	}
	return decodeCBOR(r.body, into)
}

// atTopic answers requests to a topic (section 2.5).
func (c *conn) atTopic(now time.Time, r *request, name string) error {
	if err := c.isTopic(r, name); err != nil {
		return err
	}
	t, configured := c.topic(now, r, name)
	if !configured && !declared(r, name) {
		return router.Errorf(router.NotFound, "no such topic")
	}
	if r.code != codes.GET && r.code != codeFETCH {
		if err := mayConfigure(r, name); err != nil {
			return err
		}
	}
	switch r.code {
	case codes.GET:
		c.respond(now, r.exchange, t.response(codes.Content, nil))
		return nil
	case codeFETCH:
		var keys []int
		if err := r.decode(&keys, int(message.AppCBOR)); err != nil {
			return err
		}
		c.respond(now, r.exchange, t.only(keys).response(codes.Content, nil))
		return nil
	case codes.POST: // it replaces all that can change
		return c.configure(now, r, newTopic(name))
	case codeIPATCH:
		return c.configure(now, r, t)
	case codes.DELETE:
		return c.deleteTopic(now, r, name, configured)
	default:
		return errMethod
	}
}

// configure changes a topic (sections 2.5.3 and 2.5.4).
func (c *conn) configure(now time.Time, r *request, t topic) error {
	var said topic
	if err := r.decode(&said, formatPubSub); err != nil {
		return err
	}
	t, err := t.with(said)
	if err != nil {
		return err
	}
	if !c.server.topics.put(r.account.user.Tenant.Name, t, now) {
		return router.Errorf(router.Quota, "clients have configured too many topics (coap.maxTopics)")
	}
	c.respond(now, r.exchange, t.response(codes.Changed, nil))
	return nil
}

// deleteTopic forgets what was configured about a topic, and its data (section 2.5.5).
func (c *conn) deleteTopic(now time.Time, r *request, name string, configured bool) error {
	if !configured {
		return router.Errorf(router.Denied, "the topic is declared in the configuration, and stays")
	}
	err := c.deleteData(now, r, name)
	if err == errNoData {
		c.respond(now, r.exchange, empty(codes.Deleted))
		err = nil
	}
	if err == nil {
		c.server.topics.remove(r.account.user.Tenant.Name, name)
	}
	return err
}

// atData answers requests to the data of a topic (section 3.2).
func (c *conn) atData(now time.Time, r *request, name string) error {
	if err := c.isTopic(r, name); err != nil {
		return err
	}
	switch r.code {
	case codes.GET:
		source := router.Source{Filter: addressing.Address(name).Filter()}
		if r.observe == register {
			return c.observe(now, r, source, framing{}, true)
		}
		d, ok, err := c.kept(r.account, source)
		switch {
		case err != nil:
			return err
		case !ok:
			return errNoData
		}
		return c.show(now, r, &d, framing{})
	case codes.PUT, codes.POST:
		return c.publishData(now, r, name)
	case codes.DELETE:
		return c.deleteData(now, r, name)
	default:
		return errMethod
	}
}

// publishData answers PUT of a topic's data (section 3.2.1): it is created the first time.
func (c *conn) publishData(now time.Time, r *request, name string) error {
	if t, _ := c.topic(now, r, name); t.Format != nil && r.format != int(*t.Format) {
		return refuse(codes.UnsupportedMediaType, "the topic has another topic-content-format")
	}
	_, there, err := c.kept(r.account, router.Source{Filter: addressing.Address(name).Filter()})
	switch {
	case err != nil && err != errElsewhere:
		return err
	case len(r.body) == 0:
		return router.Errorf(router.Malformed, "data that is empty; DELETE takes it away")
	case there:
		return c.publish(now, r, name, empty(codes.Changed))
	default:
		return c.publish(now, r, name, empty(codes.Created))
	}
}

// deleteData takes away what a topic has kept (section 3.2.4). Who observes it hears that it is there no more.
func (c *conn) deleteData(now time.Time, r *request, name string) error {
	_, there, err := c.kept(r.account, router.Source{Filter: addressing.Address(name).Filter()})
	switch {
	case err != nil:
		return err
	case !there:
		return errNoData
	}
	r.body, r.format = nil, noFormat
	return c.publish(now, r, name, empty(codes.Deleted))
}

// publish sends the body of a request to a topic, which keeps it.
func (c *conn) publish(now time.Time, r *request, name string, success session.Response) error {
	s, err := c.sender(r.account, []byte(name))
	if err != nil {
		return err
	}
	l := letter{retain: true}
	if err := l.read(r, s.link); err != nil {
		return err
	}
	if err := c.meets(r, s.link.Address(), true); err != nil {
		return err
	}
	return c.dispatchLetter(now, r, s, &l, task{exchange: r.exchange, success: success})
}
