package dtls

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"time"
)

// bakery makes cookies that prove an address without being remembered (RFC 6347 section 4.2.1).
type bakery struct{ secret [32]byte }

const (
	cookieSize = 16
	// cookieTime is how long a cookie is good at least, and half of how long at most.
	cookieTime = time.Minute
)

// bake gives the cookie for a hello from an address. A cookie is bound to all that the client must not change when it
// comes again with it.
func (b *bakery) bake(age int64, from netip.AddrPort, hello *clientHello) []byte {
	mac := hmac.New(sha256.New, b.secret[:])
	address := from.Addr().As16()
	mac.Write(address[:])
	var numbers [10]byte
	binary.BigEndian.PutUint64(numbers[:], uint64(age))
	binary.BigEndian.PutUint16(numbers[8:], from.Port())
	mac.Write(numbers[:])
	mac.Write(hello.bound)
	mac.Write(hello.offer)
	return mac.Sum(nil)[:cookieSize]
}

// fresh gives a cookie that is good from now on.
func (b *bakery) fresh(now time.Time, from netip.AddrPort, hello *clientHello) []byte {
	return b.bake(now.Unix()/int64(cookieTime/time.Second), from, hello)
}

// knows tells whether the cookie of a hello was made here for it, not long ago.
func (b *bakery) knows(now time.Time, from netip.AddrPort, hello *clientHello) bool {
	age := now.Unix() / int64(cookieTime/time.Second)
	return hmac.Equal(hello.cookie, b.bake(age, from, hello)) || hmac.Equal(hello.cookie, b.bake(age-1, from, hello))
}
