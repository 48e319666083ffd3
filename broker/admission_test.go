package broker_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/broker/brokertest"
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/routertest"
)

// TestADiskWithoutRoomRefusesWhatComesAndLetsGoWhatIsThere: of every way to bring a message none is open, of every way
// to get rid of one each is, and all is as before when there is room again.
func TestADiskWithoutRoomRefusesWhatComesAndLetsGoWhatIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const room = 1 << 40
		disk := brokertest.NewDisk(vfs.NewMem(), room)
		h := open(t, disk)
		defer h.close(t)
		jobs, news := h.Sender("jobs"), h.Sender("telemetry/news")
		consumer := h.Receiver("jobs", 1)
		kept := h.From(router.Source{Filter: routertest.Filter(t, "telemetry/#"), Subscription: "kept"}, 10)
		for _, body := range []string{"1", "2", "3"} {
			jobs.Send(body)
		}
		jobs.Accepted(3)

		disk.Add(10<<20 - room) // less than is kept free, and enough to consume with
		time.Sleep(2 * time.Second)
		refused := func(p *routertest.Producer) {
			t.Helper()
			if o := p.Next().Outcome; o.Reason != router.Quota {
				t.Errorf("answered %+v", o)
			}
		}
		jobs.Send("too much")
		refused(jobs)
		news.Send("too much")
		refused(news)
		retained := routertest.Text("too much")
		retained.Retain = true
		news.SendDelivery(retained)
		refused(news)
		tx := h.Router.Begin()
		send(t, tx, jobs, "too much")
		if reason := commit(tx); reason != router.Quota {
			t.Errorf("a transaction that sends ends with %v", reason)
		}

		settleAndWait(consumer.Expect("1")[0])
		consumer.Link.Grant(2)
		left := consumer.Expect("2", "3")
		tx = h.Router.Begin()
		settle(t, tx, left[0], router.Accept())
		committed(t, tx)
		jobs.Send("too much")
		refused(jobs)

		disk.Add(room)
		time.Sleep(2 * time.Second)
		news.Send("news")
		news.Accepted(1)
		kept.Expect("news")
	})
}

// settleAndWait accepts a message and waits until that is on disk.
func settleAndWait(d router.Delivery) {
	done := make(chan error)
	d.SettleThen(router.Accept(), func(err error) { done <- err })
	<-done
}
