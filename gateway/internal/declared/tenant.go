package declared

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"

	"github.com/manifoldmq/manifold/gateway/config"
)

// Source is who has declared something.
type Source string

// The sources.
const (
	File Source = "file" // the configuration file
	API  Source = "api"
)

// Tenant is all that is declared of a tenant. Its lists are in the order of names.
type Tenant struct {
	*config.Tenant
	file *config.Tenant // the part of the file; nil for none
	api  *config.Tenant // the part of the API; nil for none
	tag  func() string
}

// newTenant puts the parts of a tenant together; their lists are in order. Where both name an item, that of the file
// counts.
func newTenant(file, api *config.Tenant) *Tenant {
	t := &Tenant{file: file, api: api}
	switch {
	case file == nil:
		t.Tenant = api
	case api == nil:
		t.Tenant = file
	default:
		t.Tenant = file.Clone()
		for _, key := range config.Lists {
			all, more := t.Items(key), api.Items(key)
			for i := range more.Len() {
				if _, taken := all.Find(more.Name(i)); !taken {
					all.Put(more.At(i))
				}
			}
		}
	}
	t.tag = sync.OnceValue(func() string { return tagOf(t.Tenant) })
	return t
}

// Source tells who has declared the tenant itself.
func (t *Tenant) Source() Source {
	if t.file != nil {
		return File
	}
	return API
}

// Owner tells who has declared an item of one of the lists.
func (t *Tenant) Owner(list, name string) Source {
	if t.file != nil {
		if _, ok := t.file.Items(list).Find(name); ok {
			return File
		}
	}
	return API
}

// Tag names the version of the tenant with all it has: an entity tag (RFC 9110 section 8.8.3) without its quotes.
func (t *Tenant) Tag() string { return t.tag() }

// Tag names the version of an item.
func Tag(item any) string { return tagOf(item) }

func tagOf(v any) string {
	sum := sha256.Sum256(config.JSON(v, true))
	return hex.EncodeToString(sum[:12])
}

// ordered gives a tenant with its lists in order.
func ordered(t *config.Tenant) *config.Tenant {
	c := *t
	for _, key := range config.Lists {
		c.Items(key).Sort()
	}
	return &c
}
