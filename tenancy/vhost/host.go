package vhost

// Host declares a virtual host. Its words are those of Dispatch's entity vhost.
type Host struct {
	Name    string   `yaml:"hostname"` // that clients ask for, or a pattern of such; empty for those who ask for none
	Aliases []string `yaml:"aliases"`  // further names

	MaxConnections        *int   `yaml:"maxConnections"`        // at once; none is no limit, 0 is nobody
	MaxConnectionsPerUser *int   `yaml:"maxConnectionsPerUser"` // of one user
	MaxConnectionsPerHost *int   `yaml:"maxConnectionsPerHost"` // of one address of origin
	MaxMessageSize        *int64 `yaml:"maxMessageSize"`        // bytes; none is the policy's, 0 is no limit

	AllowUnknownUser bool    `yaml:"allowUnknownUser"` // whether who is in no group is in the one called $default
	Groups           []Group `yaml:"groups"`
}

// Group declares what some users may do at a host. In an address ${user} stands for the user's name.
type Group struct {
	Name        string   `yaml:"name"`
	Users       []string `yaml:"users"`       // "*" is everybody who is in no other group
	RemoteHosts []string `yaml:"remoteHosts"` // where they may be: addresses, ranges first-last, or *; none is nowhere

	Sources        []string `yaml:"sources"`       // they may receive from: names, of which a last * stands for any text
	Targets        []string `yaml:"targets"`       // they may send to
	SourcePatterns []string `yaml:"sourcePattern"` // in place of sources: patterns of tokens, with * and #
	TargetPatterns []string `yaml:"targetPattern"` // in place of targets

	MaxFrameSize          int    `yaml:"maxFrameSize"`          // bytes; 0 is as of the listener
	MaxSessionWindow      int    `yaml:"maxSessionWindow"`      // bytes ahead in one session; 0 is as of the listener
	MaxSessions           int    `yaml:"maxSessions"`           // of a connection; 0 is as of the listener
	MaxSenders            *int   `yaml:"maxSenders"`            // links of a connection on which the client sends; none is no limit
	MaxReceivers          *int   `yaml:"maxReceivers"`          // on which it receives
	MaxMessageSize        *int64 `yaml:"maxMessageSize"`        // bytes; none is the host's, 0 is no limit
	MaxConnectionsPerUser *int   `yaml:"maxConnectionsPerUser"` // in place of the host's
	MaxConnectionsPerHost *int   `yaml:"maxConnectionsPerHost"` // in place of the host's

	AllowDynamicSource   bool `yaml:"allowDynamicSource"`   // temporary addresses
	AllowAnonymousSender bool `yaml:"allowAnonymousSender"` // links whose messages say where they go
	AllowUserIDProxy     bool `yaml:"allowUserIdProxy"`     // messages that name another user

	DenyWaypointLinks      bool `yaml:"denyWaypointLinks"`      // links as of a broker that stores what is sent to an address
	DenyFallbackLinks      bool `yaml:"denyFallbackLinks"`      // links that get what nobody else takes
	DenyDynamicLinkRoutes  bool `yaml:"denyDynamicLinkRoutes"`  // link routes that last as long as the connection
	DenyAdminStatusUpdates bool `yaml:"denyAdminStatusUpdates"` // closing the connections of others
}

// Names with a meaning: of the default virtual host and of the group of who is in none; of who has not shown who he is; and of
// any user or host.
const (
	Default   = "$default"
	Anonymous = "anonymous"
	Anybody   = "*"
	userToken = "${user}"
)

// Policy is what holds for all hosts.
type Policy struct {
	DefaultHost    string // the host of who asks for one that is not declared; empty for none
	NamePatterns   bool   // the names of hosts are patterns
	MaxMessageSize int64  // bytes, where neither the host nor the group says; 0 is no limit
	Hosts          []Host
}
