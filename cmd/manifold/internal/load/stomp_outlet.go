package load

import "context"

// stompOutlet sends with or without receipts, and counts the receipts.
type stompOutlet struct {
	stompLine
	config    Config
	plate     *stompPlate
	publisher *publisher
}

var _ outlet = (*stompOutlet)(nil)

func newSTOMPOutlet(r *run, i int, p *publisher) *stompOutlet {
	c := r.config
	return &stompOutlet{config: c, publisher: p, plate: newSTOMPPlate(p.batch, c, c.publishTopic(i), r.id, uint32(i))}
}

// connect implements line.
func (o *stompOutlet) connect(ctx context.Context) error {
	const buffer, receiptSize = 16 << 10, len("RECEIPT\nreceipt-id:00000\n\n\x00")
	return o.open(ctx, o.config.stompDoor(buffer, o.config.Window/4*receiptSize))
}

// write implements outlet.
func (o *stompOutlet) write(n int, first uint64, due schedule) error {
	_, err := o.conn.Write(o.plate.print(n, first, due))
	return err
}

// listen implements line: it takes receipts.
func (o *stompOutlet) listen() error {
	for {
		if err := o.fill(o.noteReceipt); err != nil {
			return err
		}
		if a := o.publisher.acks; a != nil {
			a.advance()
		}
	}
}

// noteReceipt enters one receipt. A server may answer in any order.
func (o *stompOutlet) noteReceipt(f stompFrame) error {
	a := o.publisher.acks
	if f.command != commandReceipt || a == nil {
		return f.fault()
	}
	slot, err := f.receipt()
	if err != nil {
		return err
	}
	if slot >= maxWindow {
		return errFrameCorrupt
	}
	a.note(a.near(slot), o.publisher.sent.Load(), true)
	return nil
}
