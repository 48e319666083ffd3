//go:build interop

package soak

import (
	"os"
	"os/exec"
)

// stage is where the cast gets its parts.
type stage struct {
	ledger  *ledger
	workers []worker
}

// publish adds a publisher of letters to books; make gets the stream.
func (s *stage) publish(p *party, to string, whole bool, books []*book, make func(*stream) outlet) {
	stream := s.ledger.newStream(p, whole, books...)
	s.workers = append(s.workers, &publisher{make(stream), stream, p.name + " publisher to " + to})
}

// consume adds a consumer of the first station of a book that does as judge says.
func (s *stage) consume(p *party, b *book, holds int, judge func(letter) verdict, in inlet) {
	name := p.name + " consumer of " + b.name
	s.workers = append(s.workers, &consumer{in, s.ledger.newReader(p, b, false), name, judge, holds})
}

// last adds a consumer of the last station of a book.
func (s *stage) last(p *party, b *book, in inlet) {
	name := p.name + " consumer of what " + b.name + " gave away"
	s.workers = append(s.workers, &consumer{in, s.ledger.newReader(p, b, true), name, always(accept), holds})
}

func always(v verdict) func(letter) verdict { return func(letter) verdict { return v } }

// sometimes gives a verdict on every third letter, and accepts the others.
func sometimes(v verdict) func(letter) verdict {
	return func(l letter) verdict {
		if l.number%3 == 0 {
			return v
		}
		return accept
	}
}

// constrained has devices publish over UDP and TCP to the queue of everybody, and take from it.
func (s *stage) constrained(coap *party, jobs *book) {
	for _, reliable := range []bool{false, true} {
		line := coapLine{reliable: reliable}
		s.publish(coap, "jobs", false, []*book{jobs}, func(s *stream) outlet {
			return &coapOutlet{coapLine: line, stream: s, address: "jobs"}
		})
		s.consume(coap, jobs, holds, always(accept), &coapInlet{coapLine: line, address: "jobs"})
	}
}

// mqttVariant is a version of the protocol with a QoS.
type mqttVariant struct {
	*party
	id      string
	version byte
	qos     byte
}

func (v mqttVariant) outlet(topic string) func(*stream) outlet {
	return func(s *stream) outlet {
		line := mqttLine{version: v.version, id: "to-" + topic + "-" + v.id, persistent: v.qos == 2}
		return &mqttOutlet{mqttLine: line, stream: s, topic: topic, qos: v.qos}
	}
}

func (v mqttVariant) inlet(filter string, qos byte, persistent bool) inlet {
	line := mqttLine{version: v.version, id: "from-" + filter + "-" + v.id, persistent: persistent}
	return &mqttInlet{mqttLine: line, filter: filter, qos: qos}
}

// cast is everybody who works while the process is killed.
func cast(l *ledger) []worker {
	s := &stage{ledger: l}
	amqp, http, coap := l.newParty("AMQP 1.0"), l.newParty("HTTP"), l.newParty("CoAP")
	stomp, transactions := l.newParty("STOMP"), l.newParty("STOMP transactions")
	variants := []mqttVariant{
		{l.newParty("MQTT 3.1.1 QoS 1"), "3-1", 4, 1},
		{l.newParty("MQTT 3.1.1 QoS 2"), "3-2", 4, 2},
		{l.newParty("MQTT 5 QoS 1"), "5-1", 5, 1},
		{l.newParty("MQTT 5 QoS 2"), "5-2", 5, 2},
	}
	jobs := s.queue(amqp, http, stomp, variants)
	news := s.topic(amqp, http, transactions, variants)
	s.publish(transactions, "jobs and news", true, append([]*book{jobs}, news...), func(s *stream) outlet {
		return &stompOutlet{stream: s, destinations: []string{"/queue/jobs", "/topic/news"}, transaction: true}
	})
	s.deadLetters(amqp, http, stomp)
	s.moves(amqp, http, transactions)
	s.constrained(coap, jobs)
	return s.workers
}

// queue has everybody publish to a queue and compete for what is there.
func (s *stage) queue(amqp, http, stomp *party, variants []mqttVariant) (jobs *book) {
	jobs = s.ledger.newBook("jobs")
	books := []*book{jobs}
	s.publish(amqp, "jobs", false, books, func(s *stream) outlet { return &amqpOutlet{stream: s, target: "jobs"} })
	s.publish(http, "jobs", false, books, func(s *stream) outlet { return &httpOutlet{stream: s, address: "jobs"} })
	s.publish(stomp, "jobs", false, books, func(s *stream) outlet {
		return &stompOutlet{stream: s, destinations: []string{"/queue/jobs"}}
	})
	s.consume(amqp, jobs, holds, always(accept), &amqpInlet{source: "jobs"})
	s.consume(http, jobs, holds, always(accept), &httpInlet{address: "jobs"})
	s.consume(stomp, jobs, holds, always(accept), &stompInlet{destination: "/queue/jobs"})
	for _, v := range variants {
		s.publish(v.party, "jobs", false, books, v.outlet("jobs"))
		if v.qos == 1 {
			s.consume(v.party, jobs, holds, always(accept), v.inlet("jobs", 1, false))
		}
	}
	return jobs
}

// topic has everybody publish to a topic, and gives everybody a durable subscription.
func (s *stage) topic(amqp, http, stomp *party, variants []mqttVariant) (books []*book) {
	subscribe := func(p *party, holds int, in inlet) {
		b := s.ledger.newBook("news for " + p.name)
		books = append(books, b)
		s.consume(p, b, holds, always(accept), in)
	}
	subscribe(amqp, holds, &amqpInlet{source: "news::amqp"})
	subscribe(http, 0, &httpInlet{address: "news::http"}) // one that holds a lock gets nothing more
	subscribe(stomp, holds, &stompInlet{destination: "/topic/news::stomp", transaction: true})
	for _, v := range variants {
		subscribe(v.party, holds, v.inlet("news", v.qos, true))
	}
	s.publish(amqp, "news", true, books, func(s *stream) outlet { return &amqpOutlet{stream: s, target: "news"} })
	s.publish(http, "news", true, books, func(s *stream) outlet { return &httpOutlet{stream: s, address: "news"} })
	for _, v := range variants {
		s.publish(v.party, "news", true, books, v.outlet("news"))
	}
	return books
}

// deadLetters has consumers of a queue reject and fail, until a dead-letter queue has what they do not take.
func (s *stage) deadLetters(amqp, http, stomp *party) {
	work := s.ledger.newBook("work")
	books := []*book{work}
	s.publish(amqp, "work", false, books, func(s *stream) outlet { return &amqpOutlet{stream: s, target: "work"} })
	s.publish(http, "work", false, books, func(s *stream) outlet { return &httpOutlet{stream: s, address: "work"} })
	s.consume(amqp, work, holds, sometimes(pass), &amqpInlet{source: "work"})
	s.consume(http, work, holds, sometimes(pass), &httpInlet{address: "work"})
	s.consume(stomp, work, holds, sometimes(fail), &stompInlet{destination: "/queue/work"})
	s.last(amqp, work, &amqpInlet{source: "dead"})
	s.last(http, work, &httpInlet{address: "dead"})
}

// moves has messages moved from one queue to another in transactions.
func (s *stage) moves(amqp, http, transactions *party) {
	todo := s.ledger.newBook("todo")
	books := []*book{todo}
	s.publish(http, "todo", false, books, func(s *stream) outlet { return &httpOutlet{stream: s, address: "todo"} })
	s.publish(amqp, "todo", false, books, func(s *stream) outlet { return &amqpOutlet{stream: s, target: "todo"} })
	s.consume(transactions, todo, holds, always(pass),
		&stompInlet{destination: "/queue/todo", transaction: true, onward: "/queue/done"})
	if os.Getenv("INTEROP_PARTIAL") != "1" || exec.Command(debianPython, "-c", "import proton").Run() == nil {
		s.consume(s.ledger.newParty("AMQP 1.0 transactions"), todo, 0, always(pass),
			&protonMover{source: "todo", target: "done"})
	}
	s.last(amqp, todo, &amqpInlet{source: "done"})
	s.last(http, todo, &httpInlet{address: "done"})
}
