package http

import (
	"context"
	nethttp "net/http"
	"strings"
	"time"

	"github.com/manifoldmq/manifold/addressing"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/tenancy"
)

// emptyNotification is the type of an event that only says that the device is there.
const emptyNotification = "application/vnd.eclipse-hono-empty-notification"

// takeReport sends what a device reports, and answers with a command if it waits for one and one comes. The device counts as
// there before its message is: whoever learns of it by the message finds it.
func (s *Server) takeReport(w nethttp.ResponseWriter, r *nethttp.Request, p *tenancy.Principal, report *honoReport) {
	heard := make(outcome, 1)
	sender, err := s.router.Sender(r.Context(), p, router.Target{Address: report.to, Unpaced: true}, heard)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	delivery, err := s.readReported(w, r, report, sender)
	if err != nil {
		sender.Close()
		s.refuse(w, r, err)
		return
	}
	var commands *intake
	if report.waits > 0 {
		if commands, err = s.openCommands(r.Context(), p, report.form.device); err != nil {
			sender.Close()
			s.refuse(w, r, err)
			return
		}
		defer commands.close()
		commands.grant(1)
	}
	sender.Send(0, delivery)
	if report.unconfirmed {
		sender.Close()
	} else if sent := s.confirm(r.Context(), sender, heard); sent.Status != nethttp.StatusCreated {
		s.answerResult(w, r, sent)
		return
	}
	if commands != nil && s.answerCommand(w, r, p, report, commands) {
		return
	}
	s.write(w, nethttp.StatusAccepted, nil)
}

// readReported reads the message, and says in it what applications of Hono look for
// (https://eclipse.dev/hono/docs/user-guide/http-adapter/#downstream-meta-data).
func (s *Server) readReported(
	w nethttp.ResponseWriter, r *nethttp.Request, report *honoReport, sender *router.Sender,
) (router.Delivery, error) {
	l, err := readLetter(r.Header, report.to)
	if err != nil {
		return router.Delivery{}, err
	}
	if report.lives != "" {
		if l.ttl, err = readSeconds("header hono-ttl", report.lives); err != nil {
			return router.Delivery{}, err
		}
	}
	body, err := s.readBody(w, r, sender.MaxMessageSize(), "the address's maxMessageSize")
	if err != nil {
		return router.Delivery{}, err
	}
	if len(body) == 0 && report.form.kind != honoAnswer && l.properties.ContentType != emptyNotification {
		return router.Delivery{}, router.Errorf(router.Malformed, "the body is empty: what the device sends has one")
	}
	l.pairs = append(l.pairs,
		pair{"device_id", report.form.device}, pair{"orig_adapter", "hono-http"}, pair{"orig_address", report.path})
	if report.waits > 0 {
		l.pairs = append(l.pairs, pair{"ttd", int64(min(report.waits, s.limits.MaxPoll) / time.Second)})
	}
	whole := parcel{letter: l, body: body}
	return whole.delivery(sender, report.unconfirmed)
}

// openCommands attaches to the commands of a device.
func (s *Server) openCommands(ctx context.Context, p *tenancy.Principal, device string) (*intake, error) {
	filter, err := addressing.ParseFilter("command/" + device + "/req/#")
	if err != nil {
		return nil, router.Errorf(router.Malformed, "%v", err)
	}
	return s.openIntake(ctx, p, router.Source{Filter: filter}, 1)
}

// answerCommand waits for a command, no longer than the device does, and answers with it. It is false when none came. A command
// whose device has gone meanwhile goes back to its sender.
func (s *Server) answerCommand(
	w nethttp.ResponseWriter, r *nethttp.Request, p *tenancy.Principal, report *honoReport, commands *intake,
) bool {
	wait, cancel := context.WithTimeout(r.Context(), min(report.waits, s.limits.MaxPoll))
	defer cancel()
	d, ok := commands.next(wait, draining(r))
	if !ok {
		return false
	}
	if r.Context().Err() != nil {
		d.Settle(router.Release())
		return true
	}
	opened := read(&d)
	h := w.Header()
	opened.writeHeaders(h, time.Now())
	h.Set("Cache-Control", "no-store")
	request, name := commandOf(&d, report.form.device)
	if name == "" {
		name = opened.properties.Subject
	}
	setText(h, honoCommand, name)
	setText(h, honoRequest, request)
	if report.form.device != p.User && p.User != "" {
		setText(h, honoTarget, report.form.device)
	}
	s.write(w, nethttp.StatusOK, opened.body)
	d.Settle(router.Accept())
	return true
}

// commandOf takes the address of a command apart, command/DEVICE/req/ID/NAME. One that wants no answer has no id.
func commandOf(d *router.Delivery, device string) (request, name string) {
	rest := strings.TrimPrefix(string(d.To), "command/"+device+"/req/")
	request, name, _ = strings.Cut(rest, "/")
	return request, name
}
