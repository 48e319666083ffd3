package api

import (
	"net/http"
	"net/http/pprof"
)

// addProfiles adds /debug/pprof/, profiles of the process, for those who run the gateway. To others there is nothing.
func (s *server) addProfiles(mux *http.ServeMux) {
	if !s.Profiling {
		return
	}
	for path, profile := range map[string]http.HandlerFunc{
		"/debug/pprof/": pprof.Index, "/debug/pprof/cmdline": pprof.Cmdline, "/debug/pprof/profile": pprof.Profile,
		"/debug/pprof/symbol": pprof.Symbol, "/debug/pprof/trace": pprof.Trace,
	} {
		mux.Handle(path, forOperators(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Del("Content-Security-Policy") // the index has a style of its own
			profile(w, r)
		}))
	}
}

// forOperators is for pages of who runs the gateway. To others there is nothing.
func forOperators(page http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !callerOf(r.Context()).operates() {
			refuse(w, http.StatusNotFound, "there is nothing of this name")
			return
		}
		page(w, r)
	})
}
