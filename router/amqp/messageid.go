package amqp

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Prefixes of message ids that are not strings, in text [3.2.11 to 3.2.13]. A string that begins with one of them is told
// apart by a prefix of its own.
const (
	prefixUlong  = "ulong:"
	prefixUUID   = "uuid:"
	prefixBinary = "binary:" // unpadded base64url (RFC 4648 section 5)
	prefixString = "string:"
)

// FormatID writes a message id or correlation id as text, for protocols that have no other form for it, without loss of
// its type. No id, or what is none, is empty text.
func FormatID(id any) string {
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
	case UUID:
		return prefixUUID + id.String()
	case []byte:
		return prefixBinary + base64.RawURLEncoding.EncodeToString(id)
	}
	return ""
}

// ParseID reads what FormatID wrote; empty text is no id. The error says what is wrong with text that begins with the
// prefix of a type.
func ParseID(text string) (id any, err error) {
	if text == "" {
		return nil, nil
	}
	end := strings.IndexByte(text, ':') + 1 // 0 without a prefix
	prefix, rest := text[:end], text[end:]
	switch prefix {
	case prefixUlong:
		id, err = strconv.ParseUint(rest, 10, 64)
	case prefixUUID:
		id, err = parseUUID(rest)
	case prefixBinary:
		id, err = base64.RawURLEncoding.Strict().DecodeString(rest)
	case prefixString:
		id = rest
	default:
		id = text
	}
	if err != nil {
		return nil, fmt.Errorf("what follows %s is not one", prefix)
	}
	return id, nil
}

// parseUUID reads the form of RFC 9562 section 4.
func parseUUID(s string) (id UUID, err error) {
	digits := strings.ReplaceAll(s, "-", "")
	if len(s) != 36 || len(digits) != 32 {
		return id, hex.ErrLength
	}
	if _, err = hex.Decode(id[:], []byte(digits)); err == nil && id.String() != strings.ToLower(s) {
		err = hex.ErrLength
	}
	return id, err
}
