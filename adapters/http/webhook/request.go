package webhook

import (
	"bytes"
	"context"
	"io"
	nethttp "net/http"
	"net/url"
	"time"

	"github.com/manifoldmq/manifold/adapters/http"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// request writes a message, and signs it last. What the hook declares of headers goes before what the message says.
func (h *hook) request(ctx context.Context, d *router.Delivery, id string) (*nethttp.Request, error) {
	now := time.Now()
	header := make(nethttp.Header)
	body := h.Form.Write(header, d, http.Origin{ID: id, Tenant: h.Tenant}, now)
	r, err := nethttp.NewRequestWithContext(ctx, nethttp.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header = header
	r.Header.Set("User-Agent", "Manifold-Webhook/1")
	for _, extra := range h.Headers {
		r.Header.Set(extra.Name, extra.Value)
	}
	r.Header.Set(headerID, id)
	r.Header.Set(headerTimestamp, formatTime(now))
	if len(h.Secrets) > 0 {
		r.Header.Set(headerSignature, sign(h.Secrets, id, now, body))
	}
	return r, nil
}

// annotationID is where the queue notes the id that was made for a message, so that it has the same one at the next try.
const annotationID = "x-opt-webhook-id"

// identify gives the id by which a server knows a message that it has seen already: its message-id, or else one that is made. What
// is made comes with annotations for its queue to note. It goes into a header, so what is not visible ASCII is escaped.
func identify(m router.Message) (id, annotations string) {
	if p, err := m.Properties(); err == nil && p.MessageID != nil {
		return url.PathEscape(amqp.FormatID(p.MessageID)), ""
	}
	if noted, ok := m.MessageAnnotations().Lookup(annotationID); ok {
		if text, ok := noted.Text(); ok {
			return url.PathEscape(string(text)), ""
		}
	}
	id = newID()
	w := amqp.BeginFields(nil)
	w.String(annotationID, id)
	return id, string(w.End())
}

// leave reads what little a server says besides its status, so that the connection may be used again, and leaves the rest.
func leave(body io.ReadCloser) {
	const most = 16 << 10
	io.CopyN(io.Discard, body, most)
	body.Close()
}
