// Package wire passes deliveries between the router and the links of the AMQP engine: for the door, for connections to
// brokers and for those to other routers.
//
// It says what is the same at all of them: which state is which outcome, what a message's header says of its time and of
// earlier tries, and how a message streams in or out, so that a large one is nowhere held whole.
//
// Promises: no goroutines and no locks. What belongs to a connection is called by whoever holds that connection's engine;
// only [Inlet.RoomFor], and what a [Download] was given as ready, are called by any goroutine.
package wire
