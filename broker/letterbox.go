package broker

import "sync"

// letterbox is the line of departures to one queue. A reader takes one after the other there, so that what has left first
// arrives first. When there is no room for the first one all wait for it.
type letterbox struct {
	mu      sync.Mutex // guards everything below; a leaf
	line    []departure
	waiting bool // for room; otherwise a reader is under way unless the line is empty
}

// carry is the task of taking the first departure of a letterbox to its queue.
type carry struct{ to *queueNode }

func (c carry) run() { c.to.letters.first().run() }

// post adds a departure to the line of the queue where it goes. Who waits for it hears at once if it has to wait for room.
func (d departure) post() {
	if !d.enter() && d.done != nil {
		d.done(queueFull())
	}
}

// enter is post but for the answer; false when the line waits for room.
func (d departure) enter() bool {
	b := &d.to.letters
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting {
		d = d.unheard()
	}
	b.line = append(b.line, d)
	if len(b.line) == 1 {
		d.from.broker.readers.ask(carry{d.to})
	}
	return !b.waiting
}

func (b *letterbox) first() departure {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.line[0]
}

// isEmpty tells whether nothing is on its way.
func (b *letterbox) isEmpty() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.line) == 0
}

// replace puts others in the place of the first departure, and sends a reader for what is then the first.
func (n *queueNode) replace(others ...departure) {
	b := &n.letters
	b.mu.Lock()
	defer b.mu.Unlock()
	b.line[0] = departure{}
	if b.line = b.line[1:]; len(others) > 0 {
		b.line = append(others, b.line...)
	}
	if len(b.line) > 0 {
		n.broker.readers.ask(carry{n})
	}
}

// wait lets the first departure, as it then is, wait for room, and gives all that are behind it and heard.
func (b *letterbox) wait(d departure) (heard []departure) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.line[0], b.waiting = d, true
	for i, behind := range b.line {
		if behind.done != nil {
			heard = append(heard, behind)
			b.line[i] = behind.unheard()
		}
	}
	return heard
}

// invite lets the first departure try again if it waits for room, and there is some now. The caller holds n.mu.
func (n *queueNode) invite() {
	b := &n.letters
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting && n.machine.Room(1, b.line[0].size) {
		b.waiting = false
		n.broker.readers.ask(carry{n})
	}
}
