package amqp

import (
	"github.com/manifoldmq/manifold/router"
)

var _ router.Withdrawer = (*incoming)(nil)

// Withdraw implements router.Withdrawer. Clients of ours keep their credit: what they send without a consumer is released.
func (in *incoming) Withdraw(*router.Sender) {
	if in.senders == nil && in.conn.server.config.Manner.withdraws() {
		in.conn.mail.withdrawals.Put(in)
	}
}

// grant gives credit to the client.
func (in *incoming) grant(n int) {
	in.given += n
	in.link.Grant(n)
}

// takeBack asks clients for credit that they have not used, for whose messages nobody is there any more.
func (c *conn) takeBack() {
	for _, in := range c.mail.withdrawals.Take() {
		if in.asked == 0 && in.given > 0 {
			in.asked = in.given
			in.link.Drain()
		}
	}
}

// drained notes that the client has given back what was asked for and it has not used meanwhile.
func (in *incoming) drained() {
	back := max(0, in.asked-in.used)
	in.given, in.used, in.asked = in.given-in.asked, 0, 0
	in.sender.TakeBack(back)
}

// spend notes that the client has used a credit, for a message that begins. One that was gathered comes a second time, whole;
// for one that was aborted meanwhile the engine has given the credit back.
func (in *incoming) spend(id uint32) {
	switch {
	case in.whole:
	case id == in.latest:
		return
	default:
		in.given++
	}
	if in.asked > 0 {
		in.used++
	} else {
		in.given--
	}
}
