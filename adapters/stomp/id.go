package stomp

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// Prefixes of message ids that are not strings [AMQP 1.0, 3.2.11 to 3.2.13]. A string that begins with one of them is told
// apart by a prefix of its own.
const (
	prefixUlong  = "ulong:"
	prefixUUID   = "uuid:"
	prefixBinary = "binary:" // unpadded base64url (RFC 4648 section 5)
	prefixString = "string:"
)

// idText writes a message id or correlation id as text, without loss of its type; empty for none.
func idText(id any) string {
	switch id := id.(type) {
	case string:
		for _, p := range [...]string{prefixUlong, prefixUUID, prefixBinary, prefixString} {
			if strings.HasPrefix(id, p) {
				return prefixString + id
			}
		}
		return id
	case uint64:
		return prefixUlong + strconv.FormatUint(id, 10)
	case amqp.UUID:
		return prefixUUID + id.String()
	case []byte:
		return prefixBinary + base64.RawURLEncoding.EncodeToString(id)
	}
	return ""
}

// parseID reads what idText wrote; empty text is no id.
func parseID(header, text string) (id any, err error) {
	prefix, rest, _ := strings.Cut(text, ":")
	switch {
	case text == "":
		return nil, nil
	case prefix+":" == prefixUlong:
		id, err = strconv.ParseUint(rest, 10, 64)
	case prefix+":" == prefixUUID:
		var uuid amqp.UUID
		digits := strings.ReplaceAll(rest, "-", "")
		if _, err = hex.Decode(uuid[:], []byte(digits)); err == nil && uuid.String() != strings.ToLower(rest) {
			err = hex.ErrLength
		}
		id = uuid
	case prefix+":" == prefixBinary:
		id, err = base64.RawURLEncoding.Strict().DecodeString(rest)
	case prefix+":" == prefixString:
		id = rest
	default:
		id = text
	}
	if err != nil {
		return nil, router.Errorf(router.Malformed, "%s: what follows %s: is not one", header, prefix)
	}
	return id, nil
}
