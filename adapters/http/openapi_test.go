package http

import (
	"bytes"
	"fmt"
	nethttp "net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// describedSchemas are the schemas of the document by where they are. Those of OpenAPI 3.1 are those of JSON Schema 2020-12
// (https://spec.openapis.org/oas/v3.1.0#schema-object).
type describedSchemas struct {
	mu       sync.Mutex // guards everything below
	document any
	compiler *jsonschema.Compiler
}

var schemas = sync.OnceValue(func() *describedSchemas {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(openAPI))
	if err != nil {
		panic(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	if err := compiler.AddResource("openapi.json", document); err != nil {
		panic(err)
	}
	return &describedSchemas{document: document, compiler: compiler}
})

// at finds what is at a place of the document, which it follows through references, and the place where that is; nil for nothing.
func (s *describedSchemas) at(steps ...string) (found any, place []string) {
	found = s.document
	for _, step := range steps {
		object, _ := found.(map[string]any)
		found, place = object[step], append(place, step)
		if object, ok := found.(map[string]any); ok {
			if ref, ok := object["$ref"].(string); ok && step != "schema" {
				found, place = s.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
			}
		}
	}
	return found, place
}

// check judges a JSON text by the schema at a place; there may be none.
func (s *describedSchemas) check(text []byte, steps ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, place := s.at(append(steps, "schema")...)
	if found == nil {
		return nil
	}
	schema, err := s.compiler.Compile(pointer(place))
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// pointer names a place (RFC 6901 section 6).
func pointer(place []string) string {
	var b strings.Builder
	b.WriteString("openapi.json#")
	for _, step := range place {
		b.WriteString("/" + url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(step)))
	}
	return b.String()
}

// expectAsDescribed checks the bodies of a request and its answer that are JSON. A request that was refused need not be right.
func expectAsDescribed(t testing.TB, method, path, contentType, body string, r *nethttp.Response, got []byte) {
	t.Helper()
	raw, _, _ := strings.Cut(path, "?")
	parsed, err := parsePath(raw)
	if err != nil || !parsed.endpoint.allows(method) || method == nethttp.MethodOptions || method == nethttp.MethodHead {
		return
	}
	place := []string{"paths", endpoints[parsed.endpoint], strings.ToLower(method)}
	media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	described := media == typeJSON || media == "application/problem+json"
	if described && r.Header.Get("Content-Encoding") == "" && r.Header.Get(headerAddress) == "" { // else it is a message's
		err := schemas().check(got, append(place, "responses", strconv.Itoa(r.StatusCode), "content", media)...)
		if err != nil {
			t.Errorf("the answer to %s %s is not as described: %v\n%s", method, path, err, got)
		}
	}
	if (contentType == typeJSON || contentType == typeEnvelope || contentType == typeEventBatch) && r.StatusCode < 300 {
		if err := schemas().check([]byte(body), append(place, "requestBody", "content", contentType)...); err != nil {
			t.Errorf("the request %s %s is not as described: %v\n%s", method, path, err, body)
		}
	}
}

// TestEverySchemaIsOne: each compiles, and each reference of the document leads somewhere.
func TestEverySchemaIsOne(t *testing.T) {
	s := schemas()
	compiled := 0
	var walk func(value any, place []string)
	walk = func(value any, place []string) {
		switch value := value.(type) {
		case map[string]any:
			if ref, ok := value["$ref"].(string); ok {
				if found, _ := s.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...); found == nil {
					t.Errorf("%s leads nowhere", ref)
				}
			}
			for name, inner := range value {
				at := append(place[:len(place):len(place)], name)
				if name == "schema" {
					compiled++
					if _, err := s.compiler.Compile(pointer(at)); err != nil {
						t.Error(err)
					}
				}
				walk(inner, at)
			}
		case []any:
			for i, inner := range value {
				walk(inner, append(place[:len(place):len(place)], fmt.Sprint(i)))
			}
		}
	}
	walk(s.document, nil)
	if compiled < 50 {
		t.Errorf("only %d schemas", compiled)
	}
}
