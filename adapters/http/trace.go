package http

import (
	nethttp "net/http"
	"slices"
	"strings"

	"github.com/manifoldmq/manifold/router"
)

// The headers of W3C Trace Context (sections 3.2 and 3.3), in the canonical spelling of net/http. They are application
// properties of the same names, in lower case.
const (
	headerTraceParent = "Traceparent"
	headerTraceState  = "Tracestate"
)

// maxTraceText is how long either may be: no context that is meant to be passed on is longer (section 3.3.1.5).
const maxTraceText = 512

// readTrace takes over the trace that a request is part of, unless the message names one itself. What cannot be a context
// is no mistake, but left out (section 4.3).
func (l *letter) readTrace(h nethttp.Header) {
	if len(h[headerTraceParent]) != 1 || slices.ContainsFunc(l.pairs, isTrace) {
		return
	}
	for _, name := range []string{headerTraceParent, headerTraceState} {
		if text := strings.Join(h[name], ","); isTraceText(text) {
			l.pairs = append(l.pairs, pair{strings.ToLower(name), text})
		}
	}
}

func isTrace(p pair) bool { return p.name == router.TraceParent }

func isTraceText(text string) bool {
	visible := func(c byte) bool { return c >= ' ' && c < 0x7F }
	return text != "" && len(text) <= maxTraceText && !slices.ContainsFunc([]byte(text), func(c byte) bool { return !visible(c) })
}

// traceHeader gives the header of a property that tells of the message's trace.
func traceHeader(property, text string) (name string, ok bool) {
	switch {
	case !isTraceText(text):
	case property == router.TraceParent:
		return headerTraceParent, true
	case property == router.TraceState:
		return headerTraceState, true
	}
	return "", false
}
