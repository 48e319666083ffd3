package network

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"
)

// ConnectorStatus tells how a connector is.
type ConnectorStatus struct {
	Connector           // as it is declared, without its password
	Open      bool      // whether there is a connection
	Since     time.Time // when it was opened or lost, or the connector declared
	ID        uint64    // of the connection that is open, or was last: tenancy.Directory.Number; 0 as long as there was none
	Host      string    // host:port that it is connected to, or tried last
	Container string    // what the broker calls itself; empty as long as it was never reached
	Told      []string  // host:port of those that the other side has told; see Connector.Follow
	Error     string    // why it is not open; empty when it is, or was not tried yet
	Opened    uint64    // how many times it was
	Failed    uint64    // how many tries came to nothing
}

func newConnectorStatus(c Connector) ConnectorStatus {
	c.Login.Password = ""
	return ConnectorStatus{Connector: c, Since: time.Now()}
}

// AutoLinkStatus tells how an automatic link is.
type AutoLinkStatus struct {
	AutoLink
	ID       uint64 // unique among those of the process, as that of a connection is: tenancy.Directory.Number; it rises
	Attached bool
	Link     uint64    // at our address, of what is attached: router.Link.ID
	Since    time.Time // when that became so
	Error    string    // why it is not; empty when it is, or was not tried yet
}

// autoLink is a declared link and how it is.
type autoLink struct {
	AutoLink
	number uint64

	mu     sync.Mutex // guards everything below; a leaf
	status AutoLinkStatus
}

func newAutoLink(declared AutoLink, number uint64) *autoLink {
	return &autoLink{
		AutoLink: declared, number: number,
		status: AutoLinkStatus{AutoLink: declared, ID: number, Since: time.Now()},
	}
}

// note notes that the link is attached, or why not. It tells whether that is news.
func (l *autoLink) note(attached bool, reason string) (news bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.status
	news = s.Attached != attached || s.Error != reason
	if s.Attached != attached {
		s.Attached, s.Since = attached, time.Now()
	}
	s.Error = reason
	return news
}

// leads notes by which link of the router it is at our address.
func (l *autoLink) leads(link uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.status.Link = link
}

func (l *autoLink) describe() AutoLinkStatus {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status
}

// joined notes the connection that the links are to be there over, and gives those. The connection is told of those that are
// declared from then on.
func (c *connector) joined(k *conn) []*autoLink {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = k
	return inOrder(c.links)
}

// inOrder gives links as they were declared, one after the other.
func inOrder(links map[AutoLink]*autoLink) []*autoLink {
	return slices.SortedFunc(maps.Values(links), func(a, b *autoLink) int { return cmp.Compare(a.number, b.number) })
}

// noteOpened notes that there is a connection, which has a number.
func (c *connector) noteOpened(number uint64, host, container string) {
	c.mu.Lock()
	s := &c.status
	s.Open, s.Since, s.ID, s.Host, s.Container, s.Error = true, time.Now(), number, host, container, ""
	s.Opened++
	c.mu.Unlock()
	c.log.Info("connected", "host", host, "container", container)
}

// failed notes that there is no connection. A reason is said once, as long as it stays the same.
func (c *connector) failed(hostPort string, err error, wasOpen bool, wait time.Duration) {
	c.mu.Lock()
	s := &c.status
	news := s.Error != err.Error()
	if s.Open {
		s.Open, s.Since = false, time.Now()
	}
	s.Host, s.Error = hostPort, err.Error()
	if !wasOpen {
		s.Failed++
	}
	c.mu.Unlock()
	log := c.log.Debug
	if news {
		log = c.log.Warn
	}
	text := "cannot connect"
	if wasOpen {
		text = "connection lost"
	}
	if c.network.config.AsDispatch && !wasOpen { // whose operators look for it
		text = "Connection to " + hostPort + " failed"
	}
	log(text, "host", hostPort, "err", err, "again in", wait)
}

// stopped notes that the connector is at its end.
func (c *connector) stopped() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status.Open, c.status.Since = false, time.Now()
}

// Connectors tells how the connectors are, in the order in which they were declared.
func (n *Network) Connectors() []ConnectorStatus {
	n.mu.Lock()
	connectors := slices.Clone(n.connectors)
	n.mu.Unlock()
	all := make([]ConnectorStatus, len(connectors))
	for i, c := range connectors {
		c.mu.Lock()
		all[i] = c.status
		c.mu.Unlock()
	}
	return all
}

// AutoLinks tells how the automatic links are, without those of the federation, in the order in which they were declared.
func (n *Network) AutoLinks() (all []AutoLinkStatus) {
	n.mu.Lock()
	links := slices.Collect(maps.Values(n.links))
	n.mu.Unlock()
	for _, l := range links {
		if l.federated == nil {
			all = append(all, l.describe())
		}
	}
	slices.SortFunc(all, func(a, b AutoLinkStatus) int { return cmp.Compare(a.ID, b.ID) })
	return all
}
