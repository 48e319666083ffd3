package declared

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/manifoldmq/manifold/gateway/config"
)

// house is a book with what it had adopted.
type house struct {
	t       *testing.T
	fs      *vfs.MemFS
	book    *Book
	commits int
	last    News
	refuse  error // of the next adoption
}

// open gives the book of a configuration in a folder.
func open(t *testing.T, fs *vfs.MemFS, text string) *house {
	t.Helper()
	h := &house{t: t, fs: fs}
	c, err := config.Parse("manifold.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	h.book, err = Open(Options{FS: fs, Dir: "tenants", Adopt: h.adopt}, c)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) adopt(n News) (func(), error) {
	if h.refuse != nil {
		return nil, h.refuse
	}
	h.last = n
	return func() { h.commits++ }, nil
}

// put has the API declare a tenant.
func (h *house) put(text string, merge bool, terms Terms) ([]Difference, error) {
	h.t.Helper()
	t := new(config.Tenant)
	draft, err := config.ReadJSON([]byte(text), t)
	if err != nil {
		h.t.Fatal(err)
	}
	return h.book.Put(t, draft, merge, terms)
}

// declares expects that a tenant is declared so.
func (h *house) declares(name, want string) {
	h.t.Helper()
	t, ok := h.book.Lookup(name)
	switch {
	case want == "" && ok:
		h.t.Errorf("there is %s", config.JSON(t.Tenant, true))
	case want == "":
	case !ok:
		h.t.Errorf("tenant %q is not there", name)
	default:
		if got := string(config.JSON(t.Tenant, false)); got != want {
			h.t.Errorf("tenant %q is\n%s, want\n%s", name, got, want)
		}
	}
}

// changes shows differences.
func changes(all []Difference) string {
	var b strings.Builder
	for _, d := range all {
		fmt.Fprintf(&b, "%s%s/%s %s", d.Tenant, orSlash(d.List), d.Name, d.Change)
		for _, f := range d.Fields {
			fmt.Fprintf(&b, " %s:%s>%s", f.Path, f.From, f.To)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func orSlash(list string) string {
	if list == "" {
		return ""
	}
	return "/" + list
}

const acme = `{"name":"acme","users":[{"name":"ann","roles":["all"]}],"roles":[{"name":"all","send":["#"]}],` +
	`"addresses":[{"name":"jobs","kind":"queue","maxBytes":"1MiB"}]}`

func TestWhatTheAPIDeclaresOutlivesTheProcess(t *testing.T) {
	fs := vfs.NewCrashableMem()
	h := open(t, fs, "")
	all, err := h.put(acme, false, Terms{Match: None})
	if err != nil {
		t.Fatal(err)
	}
	want := "acme/ added\n" +
		"acme/addresses/jobs added kind:>queue maxBytes:>1MiB\n" +
		"acme/roles/all added send[0]:>#\n" +
		"acme/users/ann added roles[0]:>all\n"
	if got := changes(all); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if h.commits != 1 || len(h.last.Changed) != 1 {
		t.Errorf("%d commits of %d tenants", h.commits, len(h.last.Changed))
	}
	after := fs.CrashClone(vfs.CrashCloneCfg{}) // the power goes off: only what was synced is left
	open(t, after, "").declares("acme", acme)
	if _, err := h.book.Delete("acme", Terms{}); err != nil {
		t.Fatal(err)
	}
	h.declares("acme", "")
	open(t, fs.CrashClone(vfs.CrashCloneCfg{}), "").declares("acme", "")
}

func TestFileAndAPIDeclareOneTenantTogether(t *testing.T) {
	const file = "tenants: [{name: acme, anonymous: true, addresses: [{name: jobs, kind: queue}]}]\n"
	h := open(t, vfs.NewMem(), file)
	for _, refused := range []string{
		`{"name":"acme","addresses":[{"name":"jobs","kind":"topic"}]}`,
		`{"name":"acme","anonymous":false}`,
	} {
		if _, err := h.put(refused, true, Terms{}); !errors.Is(err, ErrFile) {
			t.Errorf("%s gives %v", refused, err)
		}
	}
	all, err := h.put(`{"name":"acme","anonymous":true,"addresses":[{"name":"jobs","kind":"queue"},{"name":"more","kind":"topic"}]}`, true, Terms{})
	if err != nil || changes(all) != "acme/addresses/more added kind:>topic\n" {
		t.Errorf("got %s and %v", changes(all), err)
	}
	const both = `{"name":"acme","anonymous":true,"addresses":[{"name":"jobs","kind":"queue"},{"name":"more","kind":"topic"}]}`
	h.declares("acme", both)
	acme, _ := h.book.Lookup("acme")
	if acme.Owner("addresses", "jobs") != File || acme.Owner("addresses", "more") != API || acme.Source() != File {
		t.Error("who has declared what is wrong")
	}
	if _, err := h.book.Delete("acme", Terms{}); !errors.Is(err, ErrFile) {
		t.Errorf("removing a tenant of the file gives %v", err)
	}
	if _, err := h.book.DeleteItem("acme", "addresses", "jobs", Terms{}); !errors.Is(err, ErrFile) {
		t.Errorf("removing an address of the file gives %v", err)
	}
	again := open(t, h.fs, file)
	again.declares("acme", both)
	if _, err := again.book.DeleteItem("acme", "addresses", "more", Terms{}); err != nil {
		t.Error(err)
	}
	open(t, h.fs, "").declares("acme", "") // nothing is left of the API
}

// TestWhatTheFileDeclaresMayGoUntilItIsReadAgain, where that is allowed.
func TestWhatTheFileDeclaresMayGoUntilItIsReadAgain(t *testing.T) {
	const file = "tenants: [{name: acme, addresses: [{name: jobs, kind: queue}, {name: more, kind: queue}]}]"
	h := open(t, vfs.NewMem(), file) // where the API has never declared anything
	if _, err := h.book.DeleteItem("acme", "addresses", "more", Terms{File: true}); err != nil {
		t.Error(err)
	}
	h = open(t, vfs.NewMem(), file)
	if _, err := h.put(`{"name":"acme","addresses":[{"name":"mine","kind":"topic"}]}`, true, Terms{}); err != nil {
		t.Fatal(err)
	}
	all, err := h.book.DeleteItem("acme", "addresses", "jobs", Terms{Match: "*", Within: true, File: true})
	if err != nil || len(all) != 1 {
		t.Fatalf("got %s and %v", changes(all), err)
	}
	h.declares("acme", `{"name":"acme","addresses":[{"name":"mine","kind":"topic"},{"name":"more","kind":"queue"}]}`)
	if _, err := h.book.DeleteItem("acme", "addresses", "jobs", Terms{File: true}); !errors.Is(err, ErrNotFound) {
		t.Errorf("removing it again gives %v", err)
	}
	whole := `{"name":"acme","addresses":[{"name":"jobs","kind":"queue"},{"name":"mine","kind":"topic"},{"name":"more","kind":"queue"}]}`
	open(t, h.fs, file).declares("acme", whole)
	next, err := config.Parse("next.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.book.Reload(next); err != nil {
		t.Fatal(err)
	}
	h.declares("acme", whole)
}

func TestReloadKeepsWhatTheAPIDeclares(t *testing.T) {
	h := open(t, vfs.NewMem(), "addresses: [{name: jobs, kind: queue}]\ntenants: [{name: old}]")
	if _, err := h.put(acme, false, Terms{}); err != nil {
		t.Fatal(err)
	}
	kept, _ := h.book.Lookup("acme")
	next, err := config.Parse("next.yaml", []byte("addresses: [{name: jobs, kind: queue, maxMessages: 5}]\ntenants: [{name: new}]"))
	if err != nil {
		t.Fatal(err)
	}
	all, err := h.book.Reload(next)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimSpace(changes(all)), "\n")
	if len(got) != 3 || len(h.last.Changed) != 2 || len(h.last.Gone) != 1 {
		t.Errorf("got %q", got)
	}
	if now, _ := h.book.Lookup("acme"); now != kept {
		t.Error("a tenant that has not changed was made anew")
	}
	if all, err = h.book.Reload(next); err != nil || len(all) > 0 {
		t.Errorf("the same configuration again gives %s, %v", changes(all), err)
	}
}

func TestChangesAreOnTerms(t *testing.T) {
	h := open(t, vfs.NewMem(), "")
	if _, err := h.put(acme, false, Terms{DryRun: true}); err != nil {
		t.Fatal(err)
	}
	h.declares("acme", "")
	if _, err := h.put(acme, false, Terms{Match: "*"}); !errors.Is(err, ErrStale) {
		t.Errorf("a match of what is not there gives %v", err)
	}
	if _, err := h.put(acme, false, Terms{}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.put(acme, false, Terms{Match: None}); !errors.Is(err, ErrStale) {
		t.Errorf("making what is there gives %v", err)
	}
	one, _ := h.book.Lookup("acme")
	tag := Tag(one.Items("addresses").At(0))
	jobs := func(text string, terms Terms) error {
		item := one.Items("addresses").New()
		draft, err := config.ReadJSON([]byte(text), item)
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.book.PutItem("acme", "addresses", "jobs", item, draft, terms)
		return err
	}
	if err := jobs(`{"name":"jobs","kind":"topic"}`, Terms{Match: tag}); err != nil {
		t.Error(err)
	}
	if err := jobs(`{"name":"jobs","kind":"queue"}`, Terms{Match: tag}); !errors.Is(err, ErrStale) {
		t.Errorf("an old tag gives %v", err)
	}
	if err := jobs(`{"name":"jobs","kind":"queue"}`, Terms{Within: true}); err != nil {
		t.Error(err)
	}
	if _, err := h.put(`{"name":"acme","anonymous":true}`, true, Terms{Within: true}); !errors.Is(err, ErrScalars) {
		t.Errorf("changing the tenant from within gives %v", err)
	}
}

func TestInvalidIsRefusedByField(t *testing.T) {
	h := open(t, vfs.NewMem(), "")
	if _, err := h.put(acme, false, Terms{}); err != nil {
		t.Fatal(err)
	}
	one, _ := h.book.Lookup("acme")
	item := one.Items("users").New()
	draft, err := config.ReadJSON([]byte(`{"name":"zoe","roles":["none"]}`), item)
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.book.PutItem("acme", "users", "zoe", item, draft, Terms{})
	invalid, ok := errors.AsType[*Invalid](err)
	if !ok || len(invalid.Problems) != 1 || invalid.Problems[0].Path != "roles" {
		t.Errorf("got %#v", err)
	}
	if _, err := h.book.DeleteItem("acme", "roles", "all", Terms{}); err == nil {
		t.Error("a role that somebody has was removed")
	}
	h.refuse = config.Problems{{Path: "addresses", Text: "no"}}
	if _, err := h.put(`{"name":"acme","addresses":[{"name":"other","kind":"queue"}]}`, true, Terms{}); err == nil {
		t.Error("what cannot be adopted was declared")
	}
	h.declares("acme", acme)
	if h.commits != 1 {
		t.Errorf("%d commits", h.commits)
	}
}

func TestSecretsAreKeptAndNotShown(t *testing.T) {
	const credential = "SCRAM-SHA-256$65536:x4GM3wLnSoINzTn8BMlvpw==$" +
		"gijf4dmLCpj4+n3PBLoXJ+WGJkPk4CMO2uzr38y94bY=:bVVILIhLyoM45Yzp/CfT+Rzhh5zhPRA785jEYAONhgc="
	h := open(t, vfs.NewMem(), "")
	all, err := h.put(`{"name":"acme","users":[{"name":"ann","credential":"`+credential+`"}]}`, false, Terms{})
	if err != nil || strings.Contains(changes(all), "65536") {
		t.Fatalf("got %s, %v", changes(all), err)
	}
	const shown = `{"name":"acme","users":[{"name":"ann","credential":"kept"}]}`
	h.declares("acme", shown)
	if all, err := h.put(shown, false, Terms{}); err != nil || len(all) > 0 {
		t.Errorf("what is shown, put back, gives %s, %v", changes(all), err)
	}
	if _, err := h.put(`{"name":"acme","users":[{"name":"bob","credential":"kept"}]}`, false, Terms{}); err == nil {
		t.Error("a secret of nobody was kept")
	}
	one, _ := open(t, h.fs, "").book.Lookup("acme")
	if !strings.Contains(string(config.JSON(one.Tenant, true)), credential) {
		t.Error("the credential is not on disk")
	}
}

// TestChangesOfManyAtOnceAreAllKept: nobody's change is lost, and who reads meanwhile sees whole tenants.
func TestChangesOfManyAtOnceAreAllKept(t *testing.T) {
	h := open(t, vfs.NewMem(), "")
	if _, err := h.put(`{"name":"acme"}`, false, Terms{}); err != nil {
		t.Fatal(err)
	}
	const workers, each = 4, 25
	var working sync.WaitGroup
	for w := range workers {
		working.Go(func() {
			for i := range each {
				name := fmt.Sprintf("q%d-%d", w, i)
				a := new(config.Address)
				draft, err := config.ReadJSON([]byte(`{"name":"`+name+`","kind":"queue"}`), a)
				if err == nil {
					_, err = h.book.PutItem("acme", "addresses", name, a, draft, Terms{Match: None})
				}
				if err != nil {
					t.Error(err)
				}
				if one, ok := h.book.Lookup("acme"); !ok || one.Tag() == "" {
					t.Error("the tenant is not there")
				}
			}
		})
	}
	working.Wait()
	for _, b := range []*Book{h.book, open(t, h.fs, "").book} {
		if one, _ := b.Lookup("acme"); len(one.Addresses) != workers*each {
			t.Errorf("there are %d addresses", len(one.Addresses))
		}
	}
}

// TestOrderOfTheFileIsKept, also where nothing else of it changes.
func TestOrderOfTheFileIsKept(t *testing.T) {
	h := open(t, vfs.NewMem(), "addresses: [{name: b, kind: queue}, {name: a, kind: queue}]")
	if got := fmt.Sprint(h.book.Written("default"), h.book.Written("nobody")); got != "[b a] []" {
		t.Errorf("it is %s", got)
	}
	next, err := config.Parse("next.yaml", []byte("addresses: [{name: a, kind: queue}, {name: b, kind: queue}]"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.book.Reload(next); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(h.book.Written("default")); got != "[a b]" {
		t.Errorf("then it is %s", got)
	}
}
