// Package proxy reads the header by which a proxy tells whose connection it passes on: the PROXY protocol, version 1 and 2
// (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt).
//
// It is pure: octets in, a header or how many more octets are needed out. It never asks for an octet that is behind the
// header, so that nothing has to be given back, and a connection needs no buffer of its own from then on.
package proxy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Header is what a proxy says.
type Header struct {
	Source netip.AddrPort // of the client; zero when the connection is the proxy's own, or when it does not say
}

const (
	signature1 = "PROXY "                                           // section 2.1
	signature2 = "\x0D\x0A\x0D\x0A\x00\x0D\x0A\x51\x55\x49\x54\x0A" // section 2.2

	shortest = len("PROXY UNKNOWN\r\n") // of both versions
	longest1 = 107                      // of version 1, with the line's end
	fixed2   = 16                       // of version 2, before the addresses
	longest2 = 4 << 10                  // of version 2; the certificate of a client may be in it
)

var (
	errNone = errors.New("there is no PROXY header")
	errLine = errors.New("the line of a PROXY header is not one of version 1")
)

// Begins tells whether octets are the beginning of a header.
func Begins(seen []byte) bool {
	return bytes.HasPrefix(seen, []byte(signature1)) || bytes.HasPrefix(seen, []byte(signature2))
}

// Next takes the octets that there are. With an error they are no header; else there are at least as many to come as it says,
// or none, and this is the header.
func Next(seen []byte) (h Header, more int, err error) {
	switch {
	case !mayBegin(seen):
		return h, 0, errNone // however few there are
	case len(seen) < shortest:
		return h, shortest - len(seen), nil
	case bytes.HasPrefix(seen, []byte(signature2)):
		return next2(seen)
	}
	return next1(seen)
}

// mayBegin tells whether octets can become a header.
func mayBegin(seen []byte) bool {
	for _, signature := range []string{signature1, signature2} {
		if n := min(len(seen), len(signature)); string(seen[:n]) == signature[:n] {
			return true
		}
	}
	return false
}

// next1 reads version 1: a line of text.
func next1(seen []byte) (h Header, more int, err error) {
	line, ended := bytes.CutSuffix(seen, []byte("\r\n"))
	switch {
	case ended:
		h, err = parseLine(string(line))
		return h, 0, err
	case len(seen) >= longest1 || bytes.IndexByte(seen, '\n') >= 0:
		return h, 0, errLine
	}
	return h, 1, nil
}

func parseLine(line string) (h Header, err error) {
	fields := strings.Split(line, " ")
	if fields[1] == "UNKNOWN" { // whatever follows
		return h, nil
	}
	if len(fields) != 6 || fields[1] != "TCP4" && fields[1] != "TCP6" {
		return h, errLine
	}
	var at [2]netip.AddrPort
	for i := range at {
		host, err := netip.ParseAddr(fields[2+i])
		port, portErr := strconv.ParseUint(fields[4+i], 10, 16)
		if err != nil || portErr != nil || host.Zone() != "" || host.Is4() != (fields[1] == "TCP4") ||
			strconv.FormatUint(port, 10) != fields[4+i] {
			return h, errLine
		}
		at[i] = netip.AddrPortFrom(host.Unmap(), uint16(port))
	}
	return Header{at[0]}, nil
}

// Commands and families of version 2; the upper half of an octet is the version or the family, the lower half the command or
// the transport.
const (
	local2   = 0x20
	proxied2 = 0x21
	stream4  = 0x11
	stream6  = 0x21
	unknown  = 0x00
	unix     = 0x31
)

// next2 reads version 2. What is behind the addresses, such as the name of the host and what was said in TLS, is passed over:
// nobody here relies on it.
func next2(seen []byte) (h Header, more int, err error) {
	if len(seen) < fixed2 {
		return h, fixed2 - len(seen), nil
	}
	command, family := seen[12], seen[13]
	size := fixed2 + int(binary.BigEndian.Uint16(seen[14:]))
	addresses, known := map[byte]int{stream4: 12, stream6: 36, unknown: 0, unix: 216}[family]
	switch {
	case command != local2 && command != proxied2:
		return h, 0, fmt.Errorf("a PROXY header has the version and command %#02x", command)
	case size > longest2:
		return h, 0, fmt.Errorf("a PROXY header has %d octets, of which %d are the most", size, longest2)
	case command == proxied2 && !known:
		return h, 0, fmt.Errorf("a PROXY header has the family and transport %#02x", family)
	case command == proxied2 && size < fixed2+addresses:
		return h, 0, errors.New("a PROXY header is too short for its addresses")
	case len(seen) < size:
		return h, size - len(seen), nil
	case len(seen) > size:
		return h, 0, errNone
	case command == local2: // the proxy looks whether somebody is there
		return h, 0, nil
	}
	switch b := seen[fixed2:]; family {
	case stream4:
		h.Source = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b)), binary.BigEndian.Uint16(b[8:]))
	case stream6:
		h.Source = netip.AddrPortFrom(netip.AddrFrom16([16]byte(b)).Unmap(), binary.BigEndian.Uint16(b[32:]))
	}
	return h, 0, nil
}
