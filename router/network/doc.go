// Package network connects the gateway to others: to AMQP 1.0 brokers that store what it routes.
//
// A connector keeps one connection to a broker alive, however many clients there are. Over it run automatic links, each
// between an address of ours and one of the broker's: outgoing ones take what is sent to our address there, incoming ones
// bring what is there to those who receive from our address. A waypoint is an address with one of each: what clients send
// to it is stored by the broker, and what they receive from it comes from there. Several brokers behind one address share
// its messages.
//
// A link route has the links that AMQP clients attach to some addresses lead on to a broker, or to the next router, as they
// are: package passage joins their ends, and [Network.RouteLink] says which. Brokers may also have connected to us: a [Guest]
// is what the network does over such a connection.
//
// With a [Mesh] the gateway is also one router of several that make a network, in which a message finds its consumer
// wherever that is. One goroutine has the control plane (package routing). A [neighbor] is a connection to another router,
// over which control packets and messages go by links of their own. Messages leave by ways: a [way] stands at the node of an
// address as a consumer, and leads to one neighbour. They go on in lanes, the data links to that neighbour, one for each
// priority. What comes from a neighbour goes to the nodes through a [router.Sender], like what any client sends.
// What only the router can serve that stores an address, such as a durable subscription, is a [loan]: a [borrower] is the node
// of it here, and a [lending] what stands there for its client.
//
// Promises:
//   - A message is accepted when its receiver has accepted it: on the way out the broker, on the way in our consumer. What
//     a broken connection leaves open goes out again, or comes again: at least once, and never lost. A message whose
//     sender asked for no answer goes once at most.
//   - Credit is passed on: a broker sends as much as our consumers take, and our senders get the credit of the broker. An
//     address whose broker is away takes nothing.
//   - Messages pass as they are; only their headers are written anew, as where they have been tried before, or where an
//     outgoing link has them kept on disk. Large ones go on while they come in, if the address stores nothing.
//   - A connector that is cut off tries again for ever, at times that are spread; dialling, the handshakes and the open
//     have their deadlines.
//   - Between routers the outcome is that of the consumer, however far. A message that was not sent when a neighbour is lost
//     is released, one that was is modified, and a link that is full holds back and drops nothing.
//   - The goroutines are those of Network.Run: one for each connector, and what router/transport has for its connection;
//     two for a Mesh; one for each loan that is asked of us, until the disk has answered; and while somebody asks for the
//     subscriptions of a name, one for each home.
//
// Numbers in square brackets are sections of the OASIS standard "AMQP Version 1.0":
// https://docs.oasis-open.org/amqp/core/v1.0/os/amqp-core-overview-v1.0-os.html
package network
