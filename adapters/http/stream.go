package http

import (
	nethttp "net/http"
	"strings"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// wish is what a client asks of a stream.
type wish struct {
	source router.Source
	form   form
	resume bool // it may come back, if the address stores
	place  place
	last   string // the id of the last event that it has
}

// form is how a stream shows messages.
type form uint8

const (
	formJSON  form = iota // an event whose data is the envelope
	formRaw               // an event whose data is the payload
	formLines             // the envelope, one in a line
)

func (s *Server) readWish(r *nethttp.Request, path *route, p *tenancy.Principal) (wish, error) {
	query := parseQuery(r.URL)
	source, err := s.readSource(p, path, query)
	if err != nil {
		return wish{}, err
	}
	want := wish{source: source, last: r.Header.Get("Last-Event-Id")}
	if query.choice("data", "json", "raw", "json") {
		want.form = formRaw
	}
	if acceptsLines(r.Header) {
		want.form = formLines
	}
	want.resume = query.choice("resume", "false", "true", "true") && want.form != formLines
	retained := "true"
	if source.Subscription != "" {
		retained = "false" // a durable subscription has what it missed
	}
	want.source.Retained = query.choice("retained", "false", "true", retained)
	if r.Method == nethttp.MethodHead {
		want.last, want.resume = "", false
	}
	want.place = place{holder{p.Tenant.Name, p.User}, path.text}
	if source.Selector != nil {
		want.place.text += "\n" + source.Selector.String()
	}
	return want, query.err()
}

// acceptsLines tells whether a client prefers plain lines of JSON to events.
func acceptsLines(h nethttp.Header) bool {
	accept := h.Get("Accept")
	return strings.Contains(accept, typeLines) && !strings.Contains(accept, typeEvents)
}

// typeEvents is the media type of server-sent events.
const typeEvents = "text/event-stream"

// stream answers GET {address or filter}/stream: one event per message, for as long as the client stays.
func (s *Server) stream(w nethttp.ResponseWriter, r *nethttp.Request, path *route, p *tenancy.Principal) {
	if e := s.openStream(w, r, path, p); e != nil && !s.takeOver(w, r, e) {
		s.pour(w, r, e)
	}
}

// openStream gives a stream whose route is live, or answers itself.
func (s *Server) openStream(w nethttp.ResponseWriter, r *nethttp.Request, path *route, p *tenancy.Principal) *eventStream {
	want, err := s.readWish(r, path, p)
	if err != nil {
		s.refuse(w, r, err)
		return nil
	}
	e := &eventStream{server: s, form: want.form, greets: want.form != formLines}
	if e.visit, err = s.directory.Enter(visitorOf(r), p, e); err == nil {
		if err = e.open(r.Context(), p, &want); err != nil {
			e.visit.Leave()
		}
	}
	if err != nil {
		s.refuse(w, r, err)
		return nil
	}
	h := w.Header()
	h.Set("Content-Type", typeEvents)
	if want.form == formLines {
		h.Set("Content-Type", typeLines)
	}
	forbidGuessing(h)
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	if r.Method == nethttp.MethodHead {
		w.WriteHeader(nethttp.StatusOK)
		e.giveBack()
		e.visit.Leave()
		return nil
	}
	return e
}
