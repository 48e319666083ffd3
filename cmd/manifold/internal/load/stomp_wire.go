package load

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// Commands that a server sends (STOMP 1.2, "Server Frames").
const (
	commandConnected = "CONNECTED"
	commandMessage   = "MESSAGE"
	commandReceipt   = "RECEIPT"
	commandError     = "ERROR"

	maxCommand = 16 // octets, which is more than any of them has
)

var (
	errNotSTOMP     = errors.New("the answer is not one of STOMP; is this the server's STOMP port?")
	errFrameTooLong = errors.New("frame is longer than any the load driver asked for")
	errFrameCorrupt = errors.New("frame does not follow STOMP 1.2")
)

// stompFrame is one frame as it lies in a read buffer.
type stompFrame struct {
	command string
	headers []byte // lines, each with its end
	body    []byte // borrowed from the buffer, as headers is
	size    int    // octets of the whole frame, with line ends before it; 0 while it is incomplete
}

// nextSTOMPFrame finds the frame that a server has sent at the front of buf (STOMP 1.2, "STOMP Frames"). Line ends may
// come before it: they are heart-beats, or belong to the frame before.
func nextSTOMPFrame(buf []byte) (stompFrame, error) {
	at := len(buf) - len(bytes.TrimLeft(buf, "\r\n"))
	line, at, ok := stompLineAt(buf, at)
	f := stompFrame{command: commandOf(line)}
	if f.command == "" && (ok || len(line) > maxCommand) {
		return stompFrame{}, errNotSTOMP
	}
	headers, length := at, -1
	for ok {
		end := at
		line, at, ok = stompLineAt(buf, at)
		if ok && len(line) == 0 {
			f.headers = buf[headers:end]
			return f.withBody(buf, at, length)
		}
		if value, found := valueOf(line, "content-length"); found && ok && length < 0 {
			n, err := strconv.Atoi(string(value))
			if err != nil || n < 0 {
				return stompFrame{}, errFrameCorrupt
			}
			length = n
		}
	}
	return stompFrame{}, nil
}

// withBody completes f, whose body begins at an offset of buf and has a length, or ends with the first NUL if that is
// negative.
func (f stompFrame) withBody(buf []byte, at, length int) (stompFrame, error) {
	if length < 0 {
		if length = bytes.IndexByte(buf[at:], 0); length < 0 {
			return stompFrame{}, nil
		}
	}
	end := at + length
	switch {
	case end >= len(buf) || end < at:
		return stompFrame{}, nil
	case buf[end] != 0:
		return stompFrame{}, errFrameCorrupt
	}
	f.body, f.size = buf[at:end], end+1
	return f, nil
}

// stompLineAt gives the line that starts at an offset, without its end, and where the next one starts. A line that is
// not complete is what there is of it.
func stompLineAt(buf []byte, at int) (line []byte, next int, ok bool) {
	n := bytes.IndexByte(buf[at:], '\n')
	if n < 0 {
		return buf[at:], len(buf), false
	}
	line = buf[at : at+n]
	if n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line, at + n + 1, true
}

// commandOf gives the command that a line is; empty for one that no server sends.
func commandOf(line []byte) string {
	for _, command := range []string{commandMessage, commandReceipt, commandConnected, commandError} {
		if string(line) == command {
			return command
		}
	}
	return ""
}

// valueOf gives what a line says of a header, if that is what it is about.
func valueOf(line []byte, name string) (value []byte, ok bool) {
	if len(line) > len(name) && line[len(name)] == ':' && string(line[:len(name)]) == name {
		return line[len(name)+1:], true
	}
	return nil, false
}

// header gives the first value of a header, escaped as it came; nil without one.
func (f stompFrame) header(name string) []byte {
	for at := 0; at < len(f.headers); {
		line, next, _ := stompLineAt(f.headers, at)
		if value, ok := valueOf(line, name); ok {
			return value
		}
		at = next
	}
	return nil
}

// receipt is the number of the frame that a RECEIPT is for; the driver's receipts are nothing but numbers.
func (f stompFrame) receipt() (uint64, error) {
	n, err := strconv.ParseUint(string(f.header("receipt-id")), 10, 64)
	if err != nil {
		return 0, errFrameCorrupt
	}
	return n, nil
}

// fault says why f is not what was waited for: with ERROR a server says so itself (STOMP 1.2, "ERROR").
func (f stompFrame) fault() error {
	if f.command != commandError {
		return fmt.Errorf("frame %s was not expected", f.command)
	}
	const most = 200
	body := bytes.TrimSpace(f.body)
	return fmt.Errorf("the server says ERROR: %s: %s", f.header("message"), body[:min(most, len(body))])
}

// appendSTOMPConnect encodes CONNECT without heart-beats: an idle connection then stays silent for good. Nothing in it
// is escaped (STOMP 1.2, "Value Encoding").
func appendSTOMPConnect(dst []byte, host, username, password string) []byte {
	dst = fmt.Appendf(dst, "CONNECT\naccept-version:1.2\nheart-beat:0,0\nhost:%s\n", host)
	if username != "" {
		dst = fmt.Appendf(dst, "login:%s\npasscode:%s\n", username, password)
	}
	return append(dst, "\n\x00"...)
}

// appendSTOMPSubscribe encodes SUBSCRIBE with a receipt, both numbered. prefetch is how many messages may be unsettled;
// it has the names that it has with RabbitMQ and with ActiveMQ.
func appendSTOMPSubscribe(dst []byte, number int, destination, ack string, prefetch int) []byte {
	dst = fmt.Appendf(dst, "SUBSCRIBE\nid:%d\nreceipt:%d\n", number, number)
	dst = appendSTOMPHeader(dst, "destination", destination)
	return fmt.Appendf(dst, "ack:%s\nprefetch-count:%d\nactivemq.prefetchSize:%d\n\n\x00", ack, prefetch, prefetch)
}

// appendSTOMPAck encodes ACK; id is the value of the header ack of a MESSAGE, escaped as it came.
func appendSTOMPAck(dst, id []byte) []byte {
	dst = append(dst, "ACK\nid:"...)
	dst = append(dst, id...)
	return append(dst, "\n\n\x00"...)
}

// appendSTOMPHeader encodes a header (STOMP 1.2, "Value Encoding"). The name has nothing to escape.
func appendSTOMPHeader(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	dst = append(dst, ':')
	for i := range len(value) {
		switch b := value[i]; b {
		case '\\':
			dst = append(dst, `\\`...)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case ':':
			dst = append(dst, `\c`...)
		default:
			dst = append(dst, b)
		}
	}
	return append(dst, '\n')
}
