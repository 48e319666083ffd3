package main

import (
	"net"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"
	"golang.org/x/sync/errgroup"
)

// mqttPeer is the other side of a client, which answers each packet with the next of its answers.
func mqttPeer(t *testing.T, answers ...packets.Packet) *mqttClient {
	t.Helper()
	ours, theirs := net.Pipe()
	var peer errgroup.Group
	peer.Go(func() error {
		defer theirs.Close()
		for _, a := range answers {
			if _, err := packets.ReadPacket(theirs); err != nil {
				return err
			}
			if _, err := a.WriteTo(theirs); err != nil {
				return err
			}
		}
		return nil
	})
	t.Cleanup(func() {
		ours.Close()
		if err := peer.Wait(); err != nil {
			t.Error(err)
		}
	})
	return &mqttClient{conn: ours}
}

func TestSubscriptionThatIsRefusedIsAnError(t *testing.T) {
	for reason, want := range map[byte]string{
		packets.SubackGrantedQoS0: "", packets.SubackNotauthorized: "may not subscribe to crowd/1: reasons 87",
	} {
		err := mqttPeer(t, &packets.Suback{PacketID: 1, Properties: &packets.Properties{}, Reasons: []byte{reason}}).subscribe("crowd/1")
		if want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
			t.Errorf("reason %x: %v", reason, err)
		}
	}
}

// TestPublishTellsWhetherAnybodySubscribes: a message that nobody was there for can be sent again, any other refusal is an error.
func TestPublishTellsWhetherAnybodySubscribes(t *testing.T) {
	for _, c := range []struct {
		reason byte
		heard  bool
		want   string
	}{
		{packets.PubackSuccess, true, ""},
		{packets.PubackNoMatchingSubscribers, false, ""},
		{packets.PubackNotAuthorized, false, "may not publish to crowd/1"},
	} {
		client := mqttPeer(t, &packets.Puback{PacketID: 1, ReasonCode: c.reason, Properties: &packets.Properties{}})
		heard, err := client.publish("crowd/1", "hello")
		if heard != c.heard || c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("reason %x: %v, %v", c.reason, heard, err)
		}
	}
}

// TestClientHearsItsOwnMessageNext: another message, or another packet, in its place is an error that tells the client.
func TestClientHearsItsOwnMessageNext(t *testing.T) {
	message := func(topic string) packets.Packet {
		return &packets.Publish{Topic: topic, Payload: []byte("hello"), Properties: &packets.Properties{}}
	}
	for _, c := range []struct {
		next packets.Packet
		want string
	}{
		{message("crowd/0"), ""},
		{message("crowd/7"), "client 0: a message to crowd/7 came in place of one to crowd/0"},
		{&packets.Pingresp{}, "client 0: PINGRESP came in place of"},
	} {
		one := mqttPeer(t, c.next)
		if err := one.say(&packets.Pingreq{}); err != nil { // it answers whatever it is asked
			t.Fatal(err)
		}
		err := crowd{one}.hear(t.Context(), func(int) string { return "crowd/0" })
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v: %v", c.next, err)
		}
	}
}
