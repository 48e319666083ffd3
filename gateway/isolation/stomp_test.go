package isolation

import (
	"bufio"
	"fmt"
	"net"
	"strings"
)

var stompParty = party{"STOMP", []deed{
	{"subscribe", func(v *visit) func() {
		c := v.stomp("")
		c.ask("SUBSCRIBE", "id:1\nack:auto\ndestination:"+escaped(v.name), "")
		return c.roundTrip
	}, "telemetry/x"},
	{"durable subscription", func(v *visit) func() {
		c := v.stomp("")
		c.ask("SUBSCRIBE", "id:"+escaped(v.name)+"\ndurable:true\nack:auto\ndestination:telemetry/#", "")
		return func() {
			c.roundTrip()
			c.ask("UNSUBSCRIBE", "id:"+escaped(v.name)+"\ndurable:true", "")
		}
	}, "reports"},
	{"subscription of the client id", func(v *visit) func() {
		c := v.stomp(v.name)
		c.ask("SUBSCRIBE", "id:reports\ndurable:true\nack:auto\ndestination:telemetry/#", "")
		c.roundTrip()
		c.ask("UNSUBSCRIBE", "id:reports\ndurable:true", "")
		return nil
	}, ""},
	{"browse", func(v *visit) func() {
		c := v.stomp("")
		c.send("SUBSCRIBE", "id:1\nbrowser:true\nack:auto\ndestination:"+escaped(v.name), "")
		c.await("browser:end") // which comes for an empty queue, too, and an ERROR for what is none
		return nil
	}, "dead"},
	{"send", func(v *visit) func() {
		v.stomp("").ask("SEND", "destination:"+escaped(v.name), v.mark())
		return nil
	}, "jobs"},
	{"send in a transaction", func(v *visit) func() {
		c := v.stomp("")
		c.ask("BEGIN", "transaction:t", "")
		c.ask("SEND", "transaction:t\ndestination:"+escaped(v.name), v.mark())
		c.ask("COMMIT", "transaction:t", "")
		return nil
	}, "jobs"},
}}

// stompConn is a client of STOMP 1.2 that checks nothing.
type stompConn struct {
	net.Conn
	from     *bufio.Reader
	receipts int
	over     bool // an ERROR has come, or the end
}

func (v *visit) stomp(client string) *stompConn {
	conn := v.dial("tcp", "stomp")
	c := &stompConn{Conn: conn, from: bufio.NewReader(conn)}
	host := v.seat.host
	if host == "" {
		host = "localhost"
	}
	header := "accept-version:1.2\nhost:" + escaped(host)
	if v.seat.user != "" {
		header += "\nlogin:" + v.seat.user + "\npasscode:" + v.seat.password // which are not escaped in CONNECT
	}
	if client != "" {
		header += "\nclient-id:" + client
	}
	fmt.Fprintf(c, "CONNECT\n%s\n\n\x00", header)
	c.await("CONNECTED")
	return c
}

// ask sends a frame and waits for its receipt.
func (c *stompConn) ask(command, header, body string) {
	c.receipts++
	receipt := fmt.Sprint("r", c.receipts)
	c.send(command, "receipt:"+receipt+"\n"+header, body)
	c.await("receipt-id:" + receipt + "\n")
}

func (c *stompConn) send(command, header, body string) {
	fmt.Fprintf(c, "%s\n%s\n\n%s\x00", command, header, body)
}

func (c *stompConn) roundTrip() {
	for i := range 2 {
		c.ask("BEGIN", fmt.Sprint("transaction:round", c.receipts, i), "")
	}
}

// await reads until a frame has a word in it, or the conversation is over.
func (c *stompConn) await(word string) {
	for !c.over {
		frame, err := c.from.ReadString(0)
		if strings.Contains(frame, word) {
			return
		}
		c.over = err != nil || strings.HasPrefix(strings.TrimLeft(frame, "\r\n"), "ERROR")
	}
}

// escaped is a header's value as STOMP 1.2 wants it.
func escaped(s string) string {
	return strings.NewReplacer("\\", `\\`, "\n", `\n`, "\r", `\r`, ":", `\c`).Replace(s)
}
