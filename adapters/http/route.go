package http

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
)

// endpoint is what a path asks for.
type endpoint uint8

const (
	endpointMessages     endpoint = iota + 1 // {address}/messages
	endpointBatch                            // {address}/messages/batch
	endpointHead                             // {address}/messages/head
	endpointLock                             // {address}/messages/{number}/{token}
	endpointReject                           // {address}/messages/{number}/{token}/reject
	endpointRenew                            // {address}/messages/{number}/{token}/renew
	endpointSettle                           // {address}/messages/settle
	endpointRequests                         // {address}/requests
	endpointStream                           // {address}/stream
	endpointSubscription                     // {topic}::{name}/subscription
)

// route is a path taken apart.
type route struct {
	endpoint endpoint
	tenant   string
	text     string // the address or filter, percent-decoded once
	prefix   string // of a location: the path as it was sent, up to the address and with it
	lock     lockID
}

// rawPath gives the path exactly as the client sent it. (URL.EscapedPath is not enough: for a path with a character that
// should have been escaped it makes up another spelling, in which an encoded slash is a plain one.)
func rawPath(u *url.URL) string {
	if u.RawPath != "" {
		return u.RawPath
	}
	return u.EscapedPath()
}

// parsePath takes a path apart that is still percent-encoded. Everything between the tenant and the endpoint is the
// address: the endpoint is found from the right, so that an address may have levels named like one.
// The error is a *router.Error.
func parsePath(raw string) (route, error) {
	tenant, rest, ok := cutLevel(strings.CutPrefix(raw, "/v1/"))
	if !ok {
		return route{}, noSuchPath()
	}
	var r route
	address, last, ok := cutLastLevel(rest)
	switch {
	case !ok:
	case last == "messages":
		r.endpoint = endpointMessages
	case last == "requests":
		r.endpoint = endpointRequests
	case last == "stream":
		r.endpoint = endpointStream
	case last == "subscription":
		r.endpoint = endpointSubscription
	case last == "batch":
		r.endpoint = endpointBatch
		address, ok = strings.CutSuffix(address, "/messages")
	case last == "head":
		r.endpoint = endpointHead
		address, ok = strings.CutSuffix(address, "/messages")
	case last == "settle":
		r.endpoint = endpointSettle
		address, ok = strings.CutSuffix(address, "/messages")
	case last == "reject":
		r.endpoint = endpointReject
		address, r.lock, ok = cutLock(address)
	case last == "renew":
		r.endpoint = endpointRenew
		address, r.lock, ok = cutLock(address)
	default:
		r.endpoint = endpointLock
		address, r.lock, ok = cutLock(rest)
	}
	if !ok {
		return route{}, noSuchPath()
	}
	r.prefix = raw[:len("/v1/")+len(tenant)+len("/")+len(address)]
	var err error
	if r.tenant, err = url.PathUnescape(tenant); err != nil {
		return route{}, router.Errorf(router.Malformed, "the path is not percent-encoded: %v", err)
	}
	if r.text, err = url.PathUnescape(address); err != nil {
		return route{}, router.Errorf(router.Malformed, "the path is not percent-encoded: %v", err)
	}
	return r, nil
}

func noSuchPath() error { return router.Errorf(router.NotFound, "no such path; see docs/http.md") }

// cutLevel takes the first level off a path, whose own prefix was found or not.
func cutLevel(path string, found bool) (level, rest string, ok bool) {
	level, rest, ok = strings.Cut(path, "/")
	return level, rest, ok && found
}

func cutLastLevel(path string) (rest, level string, ok bool) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", "", false
	}
	return path[:i], path[i+1:], true
}

// cutLock takes "/messages/{number}/{token}" off the end of a path.
func cutLock(path string) (rest string, id lockID, ok bool) {
	path, id.token, ok = cutLastLevel(path)
	if !ok || len(id.token) != tokenLength {
		return "", lockID{}, false
	}
	path, number, ok := cutLastLevel(path)
	if !ok {
		return "", lockID{}, false
	}
	var err error
	if id.number, err = strconv.ParseUint(number, 10, 64); err != nil {
		return "", lockID{}, false
	}
	rest, ok = strings.CutSuffix(path, "/messages")
	return rest, id, ok
}

// address reads the text as the literal address that a message is sent to.
func (r *route) address() (addressing.Address, error) {
	a, err := addressing.ParseAddress(r.text)
	if err != nil {
		return "", router.Errorf(router.Malformed, "%v", err)
	}
	return a, nil
}

// location is the path of a lock, in the client's own spelling of the address.
func (r *route) location(id lockID) string {
	return visible(r.prefix) + "/messages/" + strconv.FormatUint(id.number, 10) + "/" + id.token
}

// visible percent-encodes what a client may have left in its path and a URI must not contain (RFC 3986 section 2).
func visible(path string) string {
	for i := range len(path) {
		if !inURI(path[i]) {
			return escape(path, inURI)
		}
	}
	return path
}

func inURI(c byte) bool {
	return c > ' ' && c < 0x7F && !strings.ContainsRune("\"#<>?[\\]^`{|}", rune(c))
}

// methods lists what each endpoint takes, as the Allow header tells it (RFC 9110 section 10.2.1).
var methods = [...]string{
	endpointMessages: "GET, OPTIONS, POST",
	endpointBatch:    "OPTIONS, POST",
	endpointHead:     "DELETE, OPTIONS, POST",
	endpointLock:     "DELETE, OPTIONS, PUT",
	endpointReject:   "OPTIONS, POST",
	endpointRenew:    "OPTIONS, POST",
	endpointSettle:   "OPTIONS, POST",
	endpointRequests: "OPTIONS, POST",
	endpointStream:   "GET, HEAD, OPTIONS",

	endpointSubscription: "DELETE, GET, OPTIONS, PUT",
}

// allows tells whether an endpoint takes a method.
func (e endpoint) allows(method string) bool {
	for one := range strings.SplitSeq(methods[e], ", ") {
		if one == method {
			return true
		}
	}
	return false
}
