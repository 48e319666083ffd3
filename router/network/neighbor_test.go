package network

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/network/internal/protocol"
)

// TestNeighborSpeaksNoFasterThanTheMeshHears is about memory: what a neighbour says of the network waits at its end.
func TestNeighborSpeaksNoFasterThanTheMeshHears(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		a, b := n.routers["a"].mesh, n.routers["b"].mesh
		busy := make(chan struct{})
		b.inputs.Put(func(time.Time) { <-busy })
		k := a.path("b")
		const packets = 3 * controlCredit
		question := &protocol.AddressesRequest{Sender: protocol.Sender{Router: "a", Version: 1}, Have: 1 << 40}
		for range packets {
			k.mail.packets.Put(protocol.Packet{To: protocol.RouterAddresses("b"), Message: question})
		}
		synctest.Wait()
		if got := len(k.control.out.waiting); got < packets-controlCredit {
			t.Errorf("%d of %d packets wait at their end, while nobody hears them", got, packets)
		}
		close(busy)
		synctest.Wait()
		if got := len(k.control.out.waiting); got != 0 {
			t.Errorf("%d packets wait for nothing", got)
		}
	}, "a-b")
}

// astray is the node of an address whose messages all go to one neighbour, whatever has become of that.
type astray struct {
	places
	to *neighbor
}

func (a astray) Join(s *router.Sender) error {
	s.Grant()
	return nil
}

func (a astray) Offer(d router.Delivery) { a.to.post(parcel{delivery: d}) }

func TestMessageThatIsLateForANeighborIsReleased(t *testing.T) {
	cross(t, func(t *testing.T, n *nets) {
		a := n.routers["a"]
		a.Router.Serve(astray{places{a.mesh}, a.mesh.path("b")}, "late")
		n.routers["b"].cut()
		later(time.Second)
		p := a.Sender("late")
		p.Send("one")
		synctest.Wait()
		if !p.Heard() {
			t.Fatal("nobody says what became of it")
		}
		if o := p.Next().Outcome; o.State != router.Released {
			t.Errorf("it is %+v", o)
		}
	}, "a-b")
}

// TestMessageForALinkThatNeverCameIsReleased, and its sender waits, also if it asked for no answer: he may send no faster than
// messages go out.
func TestMessageForALinkThatNeverCameIsReleased(t *testing.T) {
	for _, settled := range []bool{false, true} {
		cross(t, func(t *testing.T, n *nets) {
			a := n.routers["a"]
			k := a.mesh.path("b")
			k.lanes[9] = &lane{neighbor: k} // as if the other side had attached fewer
			p := a.Sender("_topo/0/b/temp.1")
			urgent := amqp.Header{Priority: 9}
			message := amqp.Trusted(amqp.AppendData(urgent.Append(nil), []byte("urgent")))
			p.SendDelivery(router.Delivery{Message: message, Settled: settled})
			synctest.Wait()
			if p.Heard() {
				t.Fatalf("it is %+v already", p.Next().Outcome)
			}
			n.routers["b"].cut()
			later(time.Second)
			if !p.Heard() {
				t.Fatal("nobody says what became of it")
			}
			if o := p.Next().Outcome; o.State != router.Released {
				t.Errorf("it is %+v", o)
			}
		}, "a-b")
	}
}
