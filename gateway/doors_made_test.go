package gateway

import (
	"context"
	"net"
	"testing"

	"github.com/manifoldmq/manifold/router"
)

// TestDoorMadeBeforeTheOthersRunServesWithThem: a client may ask for one as soon as the first door listens.
func TestDoorMadeBeforeTheOthersRunServesWithThem(t *testing.T) {
	var doors madeDoors
	serving := make(chan struct{})
	early := &madeDoor{door: door{name: "early", serve: func(ctx context.Context, _ net.Listener) error {
		close(serving)
		<-ctx.Done()
		return nil
	}}}
	if err := doors.add(early); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- doors.run(ctx) }()
	<-serving
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := doors.add(new(madeDoor)); router.ReasonOf(err) != router.Stopping {
		t.Errorf("after the end a door is answered %v", err)
	}
}
