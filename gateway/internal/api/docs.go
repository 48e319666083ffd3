package api

import (
	"crypto/sha256"
	_ "embed" // the page
	"encoding/base64"
	"net/http"
	"strings"
)

// docsPage shows the description of the API. All that it needs is in it.
//
//go:embed docs.html
var docsPage []byte

// contentPolicy lets pages of the API do nothing but what is in them, and be in no other page
// (https://www.w3.org/TR/CSP3/).
var contentPolicy = Policy(docsPage)

// Policy gives the content security policy of a page whose styles and scripts are in it.
func Policy(page []byte) string {
	return "default-src 'none'; connect-src 'self'; style-src " + hashes(page, "style") + "; script-src " + hashes(page, "script") +
		"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

// hashes allows the elements of a name that are in a page.
func hashes(page []byte, name string) string {
	var all []string
	for rest := string(page); ; {
		_, after, ok := strings.Cut(rest, "<"+name+">")
		if !ok {
			break
		}
		inner, after, _ := strings.Cut(after, "</"+name+">")
		sum := sha256.Sum256([]byte(inner))
		all = append(all, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
		rest = after
	}
	return strings.Join(all, " ")
}

func docs(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(docsPage) // else the client has gone
}
