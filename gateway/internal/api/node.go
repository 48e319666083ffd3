package api

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/manifoldmq/manifold/tenancy"
)

// Node is the gateway itself, as far as who runs it may look at it and tell it what to do.
type Node struct {
	Version string
	Since   time.Time
	Doors   []Door
	Level   *slog.LevelVar // of the log; nil if it cannot be changed
	Reload  func() error   // has the configuration read again; nil if that cannot be done
	Drain   func()         // has the gateway stop: clients may finish
}

// Door is where clients come in.
type Door struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

// nodeView is a node of the network.
type nodeView struct {
	Name    string    `json:"name"`
	Version string    `json:"version"`
	Since   time.Time `json:"since"`
	Doors   []Door    `json:"doors"`
}

// level is how much is logged.
type level struct {
	Level string `json:"level" enum:"debug,info,warn,error"`
}

// usage is how much of a limit a tenant uses.
type usage struct {
	Limit    string `json:"limit" doc:"the setting's name"`
	Used     int64  `json:"used"`
	Most     int64  `json:"most" doc:"0 is no limit"`
	Breaches uint64 `json:"breaches" doc:"how often more was wanted"`
}

// addNode adds what is about the gateway as a whole. Users of tenants hear that there is nothing.
func (s *server) addNode() {
	register(s, operation("get-topology", http.MethodGet, "/v1/topology", "node", "Show the nodes of the network"),
		operating(func(*nothing) (*struct {
			Body struct {
				Nodes []nodeView `json:"nodes"`
			}
		}, error) {
			out := new(struct {
				Body struct {
					Nodes []nodeView `json:"nodes"`
				}
			})
			out.Body.Nodes = []nodeView{{"this", s.Node.Version, s.Node.Since.UTC(), s.Node.Doors}}
			return out, nil
		}))
	register(s, operation("get-log", http.MethodGet, "/v1/log", "node", "Show how much is logged"),
		operating(func(*nothing) (*struct{ Body level }, error) {
			if s.Node.Level == nil {
				return nil, errNotFound()
			}
			return &struct{ Body level }{level{strings.ToLower(s.Node.Level.Level().String())}}, nil
		}))
	s.addPlans()
	s.addOrders()
	register(s, operation("list-usage", http.MethodGet, "/v1/tenants/{tenant}/usage", "tenants", "Show what a tenant uses of its limits"),
		func(_ context.Context, c *Caller, in *struct {
			InTenant
			Paging
		}) (*output[usage], error) {
			if _, err := s.tenant(c, in.Tenant); err != nil {
				return nil, err
			}
			figures := s.Directory.Allowance(in.Tenant).Figures()
			slices.SortFunc(figures, func(a, b tenancy.Figure) int { return cmp.Compare(a.Limit.String(), b.Limit.String()) })
			return paged(in.Paging, len(figures), func(i int) string { return figures[i].Limit.String() }, func(i int) (usage, bool) {
				f := figures[i]
				return usage{f.Limit.String(), f.Used, f.Most, f.Breaches}, true
			}), nil
		})
}

// addOrders adds what tells the gateway to do something.
func (s *server) addOrders() {
	body := operation("put-log", http.MethodPut, "/v1/log", "node", "Say how much is logged, until the next start")
	body.SkipValidateBody = false
	register(s, body, func(_ context.Context, c *Caller, in *struct{ Body level }) (*struct{ Body level }, error) {
		if !c.operates() || s.Node.Level == nil {
			return nil, errNotFound()
		}
		var l slog.Level
		if err := l.UnmarshalText([]byte(in.Body.Level)); err != nil {
			return nil, huma.Error422UnprocessableEntity("it is not valid", &huma.ErrorDetail{Location: "body.level", Message: err.Error()})
		}
		s.Node.Level.Set(l)
		s.Note(c, "", "log", in.Body.Level, "altered")
		return &struct{ Body level }{in.Body}, nil
	})
	register(s, operation("reload", http.MethodPost, "/v1/reload", "node", "Have the configuration file read again"),
		func(_ context.Context, c *Caller, _ *nothing) (*nothing, error) {
			if !c.operates() || s.Node.Reload == nil {
				return nil, errNotFound()
			}
			s.Note(c, "", "configuration", "", "reload")
			if err := s.Node.Reload(); err != nil {
				return nil, huma.Error422UnprocessableEntity(err.Error())
			}
			return nil, nil
		})
	register(s, operation("drain", http.MethodPost, "/v1/drain", "node", "Stop the process: clients may finish until drainTimeout"),
		func(_ context.Context, c *Caller, _ *nothing) (*nothing, error) {
			if !c.operates() {
				return nil, errNotFound()
			}
			s.Note(c, "", "node", "", "drain")
			s.Node.Drain()
			return nil, nil
		})
}

// operating is for operations of who runs the gateway.
func operating[I, O any](handle func(*I) (*O, error)) func(context.Context, *Caller, *I) (*O, error) {
	return func(_ context.Context, c *Caller, in *I) (*O, error) {
		if !c.operates() {
			return nil, errNotFound()
		}
		return handle(in)
	}
}
