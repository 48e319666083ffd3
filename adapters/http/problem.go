package http

import (
	"encoding/json"
	"errors"
	nethttp "net/http"
	"os"
	"strconv"
	"time"

	"github.com/manifoldmq/manifold/router"
)

// problem is a refusal as the client sees it (RFC 9457 section 3.1). Its type is always "about:blank", which means
// that the title is the status code's own (section 4.2.1); reason, an extension, tells more than the code does.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	Reason string `json:"reason,omitempty"`

	Results []result `json:"results,omitempty"` // of a batch: what became of each message

	retry bool // whether to say when trying again may help (RFC 9110 section 10.2.3)
}

// challenge asks for a name and a password in UTF-8 (RFC 7617 sections 2 and 2.1). It names no tenant: a client must not
// learn which ones exist.
const challenge = `Basic realm="manifold", charset="UTF-8"`

// refuse answers an error with the status of its reason. The text of an error that carries no reason is for the log
// only.
func (s *Server) refuse(w nethttp.ResponseWriter, r *nethttp.Request, err error) {
	refusal, ok := errors.AsType[*router.Error](err)
	switch {
	case ok:
		s.answer(w, refusal.Reason, refusal.Text)
	case router.ReasonOf(err) == router.Unauthenticated: // why is nobody's business
		s.refuse(w, r, errCredentials())
	case router.ReasonOf(err) != router.Internal:
		s.answer(w, router.ReasonOf(err), err.Error())
	case errors.Is(err, os.ErrDeadlineExceeded): // RFC 9110 section 15.5.9
		s.writeProblem(w, problem{Status: nethttp.StatusRequestTimeout, Detail: "the body did not arrive in time (http.bodyTimeout)"})
	default:
		if r.Context().Err() == nil { // else the client went, which is no fault of ours
			s.log.Error("request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		}
		s.answer(w, router.Internal, "")
	}
}

// answer writes the problem that a reason comes to.
func (s *Server) answer(w nethttp.ResponseWriter, reason router.Reason, detail string) {
	if reason == router.Unauthenticated {
		w.Header().Set("Www-Authenticate", challenge)
	}
	status := statuses[reason]
	s.writeProblem(w, problem{Status: status.code, Detail: detail, Reason: reason.String(), retry: status.retry})
}

func (s *Server) writeProblem(w nethttp.ResponseWriter, p problem) {
	p.Type, p.Title = "about:blank", nethttp.StatusText(p.Status)
	if p.retry {
		seconds := int64((s.limits.RetryAfter + time.Second - 1) / time.Second)
		w.Header().Set("Retry-After", strconv.FormatInt(seconds, 10))
	}
	w.Header().Set("Content-Type", "application/problem+json")
	body, err := json.Marshal(p)
	if err != nil {
		panic(err) // strings and a number always have a JSON form
	}
	s.write(w, p.Status, body)
}

// write sends a whole answer, for which the client has the write timeout.
func (s *Server) write(w nethttp.ResponseWriter, code int, body []byte) {
	forbidGuessing(w.Header())
	s.setWriteDeadline(w)
	w.WriteHeader(code)
	w.Write(body) // a client that is gone misses it, and so will its next request
}

// writeEmpty sends an answer without a body. Over HTTP/2 it needs no deadline of its own: only bodies wait for a client's
// window, and a connection that takes nothing is closed by the server.
func (s *Server) writeEmpty(w nethttp.ResponseWriter, r *nethttp.Request, code int) {
	if r.ProtoMajor == 1 {
		s.setWriteDeadline(w)
	}
	w.WriteHeader(code)
}

// forbidGuessing keeps a browser from guessing what an answer is (https://fetch.spec.whatwg.org/#x-content-type-options-header):
// messages are what others sent, and none is to be taken for a web page.
func forbidGuessing(h nethttp.Header) { h.Set("X-Content-Type-Options", "nosniff") }

// setWriteDeadline gives the client the write timeout from now on. A writer that knows no deadlines is a test's
// recorder, which takes everything at once.
func (s *Server) setWriteDeadline(w nethttp.ResponseWriter) {
	nethttp.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.limits.WriteTimeout))
}
