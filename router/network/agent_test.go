package network

import (
	"context"
	"strconv"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/tenancy"
)

// agent is what answers at $management of a router in a test: it makes and ends link routes for edge routers.
type agent struct {
	router.Node
	nets    *nets
	station *station
	tenant  *tenancy.Tenant
}

func (a *agent) Join(s *router.Sender) error {
	s.Grant()
	return nil
}

func (a *agent) Leave(*router.Sender) {}

func (a *agent) Offer(d router.Delivery) {
	a.nets.serving.Go(func() {
		asked, _ := d.Message.Properties()
		p := amqp.Properties{CorrelationID: asked.CorrelationID}
		code, identity := a.do(d)
		properties := amqp.BeginApplicationProperties(p.Append(nil))
		properties.Int("statusCode", code)
		answer, _ := amqp.AppendValue(properties.End(), amqp.Map{{Key: "identity", Value: identity}})
		d.Settle(router.Accept())
		to := router.Target{Address: addressing.Address(asked.ReplyTo[len("amqp:/"):])}
		s, err := a.station.Router.Sender(context.Background(), insider(a.tenant), to, silent{})
		if err == nil { // who asks is still there
			s.Send(0, router.Delivery{Message: amqp.Trusted(answer), Settled: true})
			s.Close()
		}
	})
}

func (a *agent) do(d router.Delivery) (code int32, identity string) {
	n := a.station.network
	caller, ok := n.EdgeCaller(d.Principal().Visit())
	if !ok {
		return 400, ""
	}
	if text, ok := d.Message.ApplicationProperty("identity"); ok {
		id, _ := strconv.ParseUint(text.(string), 10, 64)
		n.RemoveOwnRoute(caller.Number, id)
		return 204, ""
	}
	body := d.Message.Body().Value().Value().(amqp.Map)
	pattern, _ := body.Get("pattern")
	direction, _ := body.Get("direction")
	o := OwnRoute{Pattern: pattern.(string), Direction: Out}
	if direction == "in" {
		o.Direction = In
	}
	o, err := n.AddOwnRoute(caller, o)
	if err != nil {
		return 400, ""
	}
	return 201, strconv.FormatUint(o.ID, 10)
}
