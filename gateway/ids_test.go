package gateway

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"

	goamqp "github.com/Azure/go-amqp"
)

// formatID writes an id as text, as docs/http.md says.
func formatID(id any) string {
	switch id := id.(type) {
	case uint64:
		return "ulong:" + strconv.FormatUint(id, 10)
	case goamqp.UUID:
		return "uuid:" + textOf(id)
	case []byte:
		return "binary:" + base64.RawURLEncoding.EncodeToString(id)
	}
	text := id.(string)
	if kind, _, ok := strings.Cut(text, ":"); ok && strings.Contains("ulong uuid binary string", kind) {
		return "string:" + text
	}
	return text
}

// parseID is the way back; no text is no id. What cannot be read is an error, which equals no id.
func parseID(text string) any {
	kind, rest, _ := strings.Cut(text, ":")
	var id any
	var err error
	switch kind {
	case "":
		return nil
	case "ulong":
		id, err = strconv.ParseUint(rest, 10, 64)
	case "uuid":
		var octets []byte
		octets, err = hex.DecodeString(strings.ReplaceAll(rest, "-", ""))
		id = goamqp.UUID(append(octets, make([]byte, 16)...)[:16])
	case "binary":
		id, err = base64.RawURLEncoding.DecodeString(rest)
	case "string":
		id = rest
	default:
		id = text
	}
	if err != nil {
		return err
	}
	return id
}
