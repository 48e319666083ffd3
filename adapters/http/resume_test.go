package http

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/transport"
)

const jobsStream = "/v1/acme/jobs/a/stream?data=raw"

// jobsStreamed sends messages and watches the stream until it has shown them.
func (d *door) jobsStreamed(t *testing.T, bodies ...string) (w *watcher, events []event) {
	t.Helper()
	for _, body := range bodies {
		d.do(201, "POST", "/v1/acme/jobs/a/messages", body)
	}
	w = d.watch(t, d.client, jobsStream)
	for range bodies {
		events = append(events, w.next())
	}
	return w, events
}

// shows checks the payloads of the next events.
func (w *watcher) shows(bodies ...string) (last event) {
	w.t.Helper()
	for _, want := range bodies {
		if last = w.next(); last.data != want {
			w.t.Errorf("%+v, want %q", last, want)
		}
	}
	return last
}

func TestStreamGoesOnAfterTheLastEvent(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		w, events := d.jobsStreamed(t, "1", "2", "3", "4")
		w.body.Close()
		synctest.Wait()
		d.do(201, "POST", "/v1/acme/jobs/a/messages", "5") // which waits for the client
		pass(20 * time.Second)
		w = d.watch(t, d.client, jobsStream, "Last-Event-Id: "+events[1].id)
		if again := w.shows("3"); again.id != events[2].id {
			t.Errorf("the event came as %q again, want %q", again.id, events[2].id)
		}
		last := w.shows("4", "5")
		if got := d.jobs().outcomes(); len(got) != 2 || got[1] != router.Accept() {
			t.Errorf("%v, want two accepted", got)
		}
		w.body.Close()
		synctest.Wait()
		w = d.watch(t, d.client, jobsStream, "Last-Event-Id: "+last.id)
		defer w.body.Close()
		d.do(201, "POST", "/v1/acme/jobs/a/messages", "6")
		w.shows("6")
		if got := d.jobs().outcomes(); len(got) != 5 {
			t.Errorf("%v, want five accepted", got)
		}
	})
}

func TestClientThatStaysAwayGivesBackWhatItMayHaveMissed(t *testing.T) {
	inBubble(t, Limits{ResumeTime: 10 * time.Second}, func(t *testing.T, d *door) {
		w, events := d.jobsStreamed(t, "1", "2")
		w.body.Close()
		pass(9 * time.Second)
		d.do(204, "POST", head+"?timeout=0", "")
		pass(2 * time.Second)
		if a := d.do(200, "POST", head+"?max=2", ""); a.Header.Get("Content-Type") != "application/json" || d.jobs().attached() != 1 {
			t.Error(a.body)
		}
		w = d.watch(t, d.client, jobsStream, "Last-Event-Id: "+events[1].id) // too late: a stream like any other
		w.body.Close()
		synctest.Wait()
		for _, o := range d.jobs().outcomes() {
			if o != router.Fail() {
				t.Error(o)
			}
		}
	})
}

func TestOldEventsAreAccepted(t *testing.T) {
	inBubble(t, Limits{StreamWindow: 2, ResumeTime: 10 * time.Second, Heartbeat: 4 * time.Second}, func(t *testing.T, d *door) {
		w, _ := d.jobsStreamed(t, "1", "2", "3", "4", "5")
		defer w.body.Close()
		synctest.Wait()
		if got := d.jobs().outcomes(); len(got) != 3 {
			t.Errorf("%v, want all but the last two", got)
		}
		for range 3 {
			w.next() // a heartbeat
		}
		synctest.Wait()
		if got := d.jobs().outcomes(); len(got) != 5 {
			t.Errorf("%v, want all", got)
		}
	})
}

func TestWhatIsKeptForAClientIsBoundedInBytes(t *testing.T) {
	inBubble(t, Limits{MaxQueuedBytes: 1000}, func(t *testing.T, d *door) {
		large := strings.Repeat("x", 600)
		w, _ := d.jobsStreamed(t, large, large, large)
		defer w.body.Close()
		synctest.Wait()
		if got := d.jobs().outcomes(); len(got) != 2 {
			t.Errorf("%v, want all but the last", got)
		}
	})
}

func TestNewStreamEndsTheOneThatWaits(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		w, _ := d.jobsStreamed(t, "1", "2")
		w.body.Close()
		synctest.Wait()
		w = d.watch(t, d.client, jobsStream) // a page that was loaded anew knows no last event
		defer w.body.Close()
		w.shows("1", "2")
		if n := len(d.server.stays.byID); n != 1 {
			t.Errorf("%d stays", n)
		}
	})
}

func TestClientThatIsBackEndsItsDeadConnection(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		dead, events := d.jobsStreamed(t, "1", "2")
		began := time.Now()
		w := d.watch(t, d.client, jobsStream, "Last-Event-Id: "+events[0].id)
		w.shows("2")
		if took := time.Since(began); took > 0 {
			t.Errorf("it waited %v", took)
		}
		if e := dead.next(); e != (event{}) {
			t.Errorf("%+v", e)
		}
		w.body.Close()
		dead.body.Close()
	})
}

func TestWhatCouldNotBeShownComesAfterTheReconnection(t *testing.T) {
	inBubble(t, Limits{WriteTimeout: 4 * time.Second}, func(t *testing.T, d *door) {
		var bodies []string
		for _, digit := range []string{"1", "2", "3", "4", "5"} {
			bodies = append(bodies, strings.Repeat(digit, 2*transport.FlushSize))
			d.do(201, "POST", "/v1/acme/jobs/a/messages", bodies[len(bodies)-1])
		}
		stuck := d.watch(t, d.client, jobsStream) // it does not read on
		defer stuck.body.Close()
		pass(5 * time.Second)
		for id := range d.server.stays.byID {
			w := d.watch(t, d.client, jobsStream, "Last-Event-Id: "+id+".0")
			w.shows(bodies...)
			w.body.Close()
		}
		if got := d.jobs().outcomes(); len(got) != 0 {
			t.Errorf("%v", got)
		}
	})
}

func TestStayIsBoundToItsPlace(t *testing.T) {
	inBubble(t, Limits{}, func(t *testing.T, d *door) {
		w, events := d.jobsStreamed(t, "1", "2")
		w.body.Close()
		synctest.Wait()
		for _, path := range []string{"/v1/other/jobs/a/stream", "/v1/acme/jobs/b/stream", jobsStream + "&selector=a%3D1"} {
			stranger := d.watch(t, d.client, path, "Last-Event-Id: "+events[0].id)
			stranger.body.Close()
			synctest.Wait()
		}
		d.do(200, "HEAD", "/v1/acme/jobs/a/stream", "", "Last-Event-Id: "+events[0].id)
		if got := d.jobs().outcomes(); len(got) != 0 {
			t.Errorf("a stranger brought about %v", got)
		}
		for _, wrong := range []string{"x", events[0].id + "x", events[0].id[:tokenLength], ".1"} {
			if id, _, ok := parseEventID(wrong); ok {
				t.Errorf("%q was read as %q", wrong, id)
			}
		}
		w = d.watch(t, d.client, jobsStream, "Last-Event-Id: "+events[0].id)
		w.shows("2")
		w.body.Close()
	})
}

func TestStopEndsWhatWaitsForItsClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, Config{})
		w, _ := d.jobsStreamed(t, "1")
		w.body.Close()
		synctest.Wait()
		d.close()
		if n := d.jobs().attached(); n != 0 || len(d.server.stays.byID) != 0 || len(d.server.stays.byPlace) != 0 {
			t.Errorf("%d receivers left", n)
		}
	})
}
