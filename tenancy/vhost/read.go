package vhost

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Read reads a host as Dispatch's entity vhost and the files of its policyDir say it: attributes by name, of which groups is a map
// from names to maps of settings. Values are those of encoding/json; a list may be one text with commas. Unknown are the
// attributes that mean nothing.
func Read(attributes map[string]any) (h Host, unknown []string, err error) {
	r := reader{values: attributes}
	h = Host{
		Name: r.text("hostname", "id"), Aliases: r.list("aliases"),
		MaxConnections: r.limit("maxConnections"), MaxConnectionsPerUser: r.limit("maxConnectionsPerUser"),
		MaxConnectionsPerHost: r.limit("maxConnectionsPerHost"), MaxMessageSize: r.size("maxMessageSize"),
		AllowUnknownUser: r.flag("allowUnknownUser", false),
	}
	groups, err := groupsOf(r.values["groups"])
	if err != nil {
		return h, nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		g, more, err := readGroup(name, groups[name])
		if err != nil {
			return h, nil, fmt.Errorf("user group '%s': %w", name, err)
		}
		h.Groups = append(h.Groups, g)
		unknown = append(unknown, more...)
	}
	return h, append(unknown, r.left("groups", "name", "identity", "type")...), r.err
}

// groupsOf reads the groups: a map, or the text of one in JSON.
func groupsOf(v any) (map[string]map[string]any, error) {
	groups := make(map[string]map[string]any)
	if text, ok := v.(string); ok {
		if err := json.Unmarshal([]byte(text), &groups); err != nil {
			return nil, fmt.Errorf("groups: %w", err)
		}
		return groups, nil
	}
	all, ok := v.(map[string]any)
	if !ok && v != nil {
		return nil, fmt.Errorf("option 'groups' must be of type 'dict'")
	}
	for name, settings := range all {
		if groups[name], ok = settings.(map[string]any); !ok {
			return nil, fmt.Errorf("user group '%s' must be of type 'dict'", name)
		}
	}
	return groups, nil
}

func readGroup(name string, settings map[string]any) (g Group, unknown []string, err error) {
	r := reader{values: settings}
	g = Group{
		Name: name, Users: r.list("users"), RemoteHosts: r.list("remoteHosts"),
		Sources: r.list("sources"), Targets: r.list("targets"),
		SourcePatterns: r.list("sourcePattern"), TargetPatterns: r.list("targetPattern"),
		MaxFrameSize: r.count("maxFrameSize"), MaxSessionWindow: r.count("maxSessionWindow"), MaxSessions: r.count("maxSessions"),
		MaxSenders: r.links("maxSenders"), MaxReceivers: r.links("maxReceivers"), MaxMessageSize: r.size("maxMessageSize"),
		MaxConnectionsPerUser: r.limit("maxConnectionsPerUser"), MaxConnectionsPerHost: r.limit("maxConnectionsPerHost"),
		AllowDynamicSource: r.flag("allowDynamicSource", false), AllowAnonymousSender: r.flag("allowAnonymousSender", false),
		AllowUserIDProxy: r.flag("allowUserIdProxy", false), DenyWaypointLinks: !r.flag("allowWaypointLinks", true),
		DenyFallbackLinks: !r.flag("allowFallbackLinks", true), DenyDynamicLinkRoutes: !r.flag("allowDynamicLinkRoutes", true),
		DenyAdminStatusUpdates: !r.flag("allowAdminStatusUpdate", true),
	}
	for _, attribute := range r.left() {
		unknown = append(unknown, "groups."+name+"."+attribute)
	}
	return g, unknown, r.err
}

// reader reads values by their names, and keeps the first error.
type reader struct {
	values map[string]any
	read   []string
	err    error
}

// left are the names that were not read, and are none of these either.
func (r *reader) left(harmless ...string) (all []string) {
	for _, name := range slices.Sorted(maps.Keys(r.values)) {
		if !slices.Contains(r.read, name) && !slices.Contains(harmless, name) {
			all = append(all, name)
		}
	}
	return all
}

func (r *reader) value(name string) (any, bool) {
	r.read = append(r.read, name)
	v, ok := r.values[name]
	return v, ok && v != nil
}

func (r *reader) text(names ...string) (text string) {
	for _, name := range names {
		if v, ok := r.value(name); ok && text == "" {
			text = textOf(v)
		}
	}
	return text
}

// list reads a list, without what is in it twice.
func (r *reader) list(name string) (all []string) {
	v, _ := r.value(name)
	for _, item := range listOf(v) {
		if !slices.Contains(all, item) {
			all = append(all, item)
		}
	}
	return all
}

func listOf(v any) (all []string) {
	if items, ok := v.([]any); ok {
		for _, item := range items {
			all = append(all, listOf(item)...)
		}
		return all
	}
	for item := range strings.SplitSeq(textOf(v), ",") {
		if item = strings.TrimSpace(item); item != "" {
			all = append(all, item)
		}
	}
	return all
}

// size reads a whole number from 0 on; nil for none.
func (r *reader) size(name string) *int64 {
	v, ok := r.value(name)
	if !ok {
		return nil
	}
	n, err := strconv.ParseInt(textOf(v), 10, 64)
	switch {
	case err != nil:
		r.fail("option '%s' has error 'Value '%s' does not resolve to an integer.'", name, textOf(v))
	case n < 0:
		r.fail("option '%s' has error 'Value '%d' is below minimum '0'.'", name, n)
	}
	return &n
}

// count reads a whole number; 0 for none.
func (r *reader) count(name string) int {
	n := r.size(name)
	if n == nil {
		return 0
	}
	return int(min(*n, 1<<31-1))
}

// links reads a number of links; nil for none.
func (r *reader) links(name string) *int {
	n := r.size(name)
	if n == nil {
		return nil
	}
	most := int(min(*n, 1<<31-1))
	return &most
}

// limit reads a number of connections; nil for none, or for the one that stands for it.
func (r *reader) limit(name string) *int {
	n := r.size(name)
	switch {
	case n == nil || *n == unlimited:
		return nil
	case *n > unlimited:
		r.fail("option '%s' has error 'Value '%d' is above maximum '%d'.'", name, *n, unlimited)
	}
	most := int(*n)
	return &most
}

func (r *reader) flag(name string, otherwise bool) bool {
	v, ok := r.value(name)
	if !ok {
		return otherwise
	}
	switch strings.ToLower(textOf(v)) {
	case "true", "yes", "on", "1":
		return true
	case "false", "no", "off", "0":
	default:
		r.fail("option '%s' has illegal boolean value '%s'", name, textOf(v))
	}
	return false
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

// GroupSettings gives the groups as Read takes them, by their names.
func (h *Host) GroupSettings() map[string]any {
	groups := make(map[string]any, len(h.Groups))
	for i := range h.Groups {
		groups[h.Groups[i].Name] = h.Groups[i].attributes()
	}
	return groups
}

func (g *Group) attributes() map[string]any {
	m := map[string]any{
		"allowDynamicSource": g.AllowDynamicSource, "allowAnonymousSender": g.AllowAnonymousSender,
		"allowUserIdProxy": g.AllowUserIDProxy, "allowWaypointLinks": !g.DenyWaypointLinks,
		"allowFallbackLinks": !g.DenyFallbackLinks, "allowDynamicLinkRoutes": !g.DenyDynamicLinkRoutes,
		"allowAdminStatusUpdate": !g.DenyAdminStatusUpdates,
	}
	for name, list := range map[string][]string{
		"users": g.Users, "remoteHosts": g.RemoteHosts, "sources": g.Sources, "targets": g.Targets,
		"sourcePattern": g.SourcePatterns, "targetPattern": g.TargetPatterns,
	} {
		if len(list) > 0 {
			m[name] = strings.Join(list, ", ")
		}
	}
	for name, n := range map[string]int{
		"maxFrameSize": g.MaxFrameSize, "maxSessionWindow": g.MaxSessionWindow, "maxSessions": g.MaxSessions,
	} {
		if n > 0 {
			m[name] = int64(n)
		}
	}
	for name, n := range map[string]*int{
		"maxConnectionsPerUser": g.MaxConnectionsPerUser, "maxConnectionsPerHost": g.MaxConnectionsPerHost,
		"maxSenders": g.MaxSenders, "maxReceivers": g.MaxReceivers,
	} {
		if n != nil {
			m[name] = int64(*n)
		}
	}
	if g.MaxMessageSize != nil {
		m["maxMessageSize"] = *g.MaxMessageSize
	}
	return m
}
