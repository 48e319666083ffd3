package coap

import (
	"mime"
	"strconv"
	"strings"

	"github.com/plgd-dev/go-coap/v3/message"
)

// noFormat stands for no Content-Format and no Accept.
const noFormat = -1

// formatPubSub is application/core-pubsub+cbor, as draft-ietf-core-coap-pubsub-21 section 6 suggests it.
const formatPubSub = 606

// formats are the content formats that have a content type, and perhaps a content encoding, of their own: the CoAP
// Content-Formats of IANA's CoRE Parameters (RFC 7252 section 12.3).
var formats = map[int]struct{ contentType, encoding string }{
	0:            {"text/plain; charset=utf-8", ""},
	16:           {`application/cose; cose-type="cose-encrypt0"`, ""},
	17:           {`application/cose; cose-type="cose-mac0"`, ""},
	18:           {`application/cose; cose-type="cose-sign1"`, ""},
	19:           {"application/ace+cbor", ""},
	21:           {"image/gif", ""},
	22:           {"image/jpeg", ""},
	23:           {"image/png", ""},
	40:           {"application/link-format", ""},
	41:           {"application/xml", ""},
	42:           {"application/octet-stream", ""},
	47:           {"application/exi", ""},
	50:           {"application/json", ""},
	51:           {"application/json-patch+json", ""},
	52:           {"application/merge-patch+json", ""},
	60:           {"application/cbor", ""},
	61:           {"application/cwt", ""},
	62:           {"application/multipart-core", ""},
	63:           {"application/cbor-seq", ""},
	96:           {`application/cose; cose-type="cose-encrypt"`, ""},
	97:           {`application/cose; cose-type="cose-mac"`, ""},
	98:           {`application/cose; cose-type="cose-sign"`, ""},
	101:          {"application/cose-key", ""},
	102:          {"application/cose-key-set", ""},
	110:          {"application/senml+json", ""},
	111:          {"application/sensml+json", ""},
	112:          {"application/senml+cbor", ""},
	113:          {"application/sensml+cbor", ""},
	114:          {"application/senml-exi", ""},
	115:          {"application/sensml-exi", ""},
	140:          {"application/yang-data+cbor; id=sid", ""},
	256:          {"application/coap-group+json", ""},
	257:          {"application/concise-problem-details+cbor", ""},
	258:          {"application/swid+cbor", ""},
	271:          {"application/dots+cbor", ""},
	272:          {"application/missing-blocks+cbor-seq", ""},
	280:          {"application/pkcs7-mime; smime-type=server-generated-key", ""},
	281:          {"application/pkcs7-mime; smime-type=certs-only", ""},
	284:          {"application/pkcs8", ""},
	285:          {"application/csrattrs", ""},
	286:          {"application/pkcs10", ""},
	287:          {"application/pkix-cert", ""},
	290:          {"application/aif+cbor", ""},
	291:          {"application/aif+json", ""},
	310:          {"application/senml+xml", ""},
	311:          {"application/sensml+xml", ""},
	320:          {"application/senml-etch+json", ""},
	322:          {"application/senml-etch+cbor", ""},
	340:          {"application/yang-data+cbor", ""},
	341:          {"application/yang-data+cbor; id=name", ""},
	432:          {"application/td+json", ""},
	formatPubSub: {"application/core-pubsub+cbor", ""},
	836:          {"application/voucher-cose+cbor", ""},
	10000:        {"application/vnd.ocf+cbor", ""},
	10001:        {"application/oscore", ""},
	10002:        {"application/javascript", ""},
	11050:        {"application/json", "deflate"},
	11060:        {"application/cbor", "deflate"},
	11542:        {"application/vnd.oma.lwm2m+tlv", ""},
	11543:        {"application/vnd.oma.lwm2m+json", ""},
	11544:        {"application/vnd.oma.lwm2m+cbor", ""},
	20000:        {"text/css", ""},
	30000:        {"image/svg+xml", ""},
}

// numbers are the same the other way round, by content type and encoding without spaces.
var numbers = func() map[string]int {
	m := make(map[string]int, len(formats))
	for n, f := range formats {
		m[squeeze(f.contentType)+"\n"+f.encoding] = n
	}
	return m
}()

// unlisted begins the content type of a number that is in no list. Its number follows.
const unlisted = "application/octet-stream; coap-content-format="

// contentOf gives the content type and encoding that a Content-Format stands for; nothing for none.
func contentOf(format int) (contentType, encoding string) {
	if f, ok := formats[format]; ok || format == noFormat {
		return f.contentType, f.encoding
	}
	return unlisted + strconv.Itoa(format), ""
}

// formatOf gives the Content-Format of a content type and encoding, or noFormat. A parameter that the list does not have
// makes no other format, but for a charset of plain text that is not UTF-8.
func formatOf(contentType, encoding string) int {
	switch {
	case contentType == "":
		return noFormat
	case contentType == "application/json" && encoding == "": // most are one of these
		return int(message.AppJSON)
	case contentType == "application/octet-stream" && encoding == "":
		return int(message.AppOctets)
	}
	if number, ok := strings.CutPrefix(contentType, unlisted); ok && encoding == "" {
		if n, err := strconv.ParseUint(number, 10, 16); err == nil {
			return int(n)
		}
	}
	squeezed := squeeze(contentType)
	if n, ok := numbers[squeezed+"\n"+encoding]; ok {
		return n
	}
	bare, _, _ := strings.Cut(squeezed, ";")
	switch n, ok := numbers[bare+"\n"+encoding]; {
	case ok:
		return n
	case bare == "text/plain" && encoding == "" && isUTF8(contentType):
		return int(message.TextPlain)
	default:
		return noFormat
	}
}

// isUTF8 tells whether a content type says no charset, or one that UTF-8 includes.
func isUTF8(contentType string) bool {
	_, parameters, err := mime.ParseMediaType(contentType)
	charset := strings.ToLower(parameters["charset"])
	return err == nil && (charset == "" || charset == "utf-8" || charset == "us-ascii")
}

// squeeze writes a content type without spaces and in lower case, as two are compared.
func squeeze(contentType string) string {
	return strings.ToLower(strings.ReplaceAll(contentType, " ", ""))
}
