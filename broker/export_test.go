package broker

import "github.com/manifoldmq/manifold/broker/internal/store"

// OpenOver is Open over a journal that a test has made.
func OpenOver(o Options, j store.Journal) (*Broker, error) { return open(o, j) }
