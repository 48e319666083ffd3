package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/manifoldmq/manifold/gateway/config"
)

// applying is what `apply` does.
type applying struct {
	server
	files      []string
	dry, prune bool
}

// NewApplyCommand returns the command `apply`, which declares tenants as files say.
func NewApplyCommand() *cobra.Command {
	var a applying
	cmd := &cobra.Command{
		Use:   "apply -f FILE",
		Short: "Declare tenants as files say",
		Long: `Declare tenants as files say, and show what that changes. A file has tenants in the words of the configuration: a list
"tenants"; addresses, users, roles and webhooks of the tenant "default" at the top; or a single tenant. A folder stands for the
files in it that end with .yaml, .yml or .json; - is the standard input.

What a file does not mention stays as it is; with --prune all that the API has declared of the tenants in the files and that
is not mentioned is gone. Each tenant is changed as a whole or not at all. What the gateway's own configuration file declares
cannot be changed here.`,
		Example: `  manifold apply -f acme.yaml --dry-run
  manifold get tenants acme -o yaml | sed s/5MiB/9MiB/ | manifold apply -f -`,
		Args: cobra.NoArgs,
		PreRunE: func(cmd *cobra.Command, args []string) error {
			if len(a.files) == 0 {
				return errors.New("apply needs a file: manifold apply -f FILE")
			}
			return a.prepare(cmd, args)
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			parts, err := a.read(cmd.InOrStdin())
			if err != nil {
				return err
			}
			return a.apply(cmd.Context(), cmd.OutOrStdout(), parts)
		},
	}
	a.addFlags(cmd)
	f := cmd.Flags()
	f.StringArrayVarP(&a.files, "file", "f", nil, "`FILE` or folder; - is the standard input; may be repeated")
	f.BoolVar(&a.dry, "dry-run", false, "only show what would change")
	f.BoolVar(&a.prune, "prune", false, "take back what the files do not mention of their tenants")
	return cmd
}

// read reads all files.
func (a *applying) read(stdin io.Reader) (parts []config.Part, err error) {
	var files []string
	for _, name := range a.files {
		found, err := filesIn(name)
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	for _, name := range files {
		var text []byte
		if name == "-" {
			text, err = io.ReadAll(stdin)
		} else {
			text, err = os.ReadFile(name)
		}
		if err != nil {
			return nil, err
		}
		more, err := config.ReadParts(name, text)
		if err != nil {
			return nil, err
		}
		parts = append(parts, more...)
	}
	return parts, nil
}

// filesIn gives the files that a name stands for.
func filesIn(name string) (files []string, err error) {
	if name == "-" {
		return []string{name}, nil
	}
	if info, err := os.Stat(name); err != nil || !info.IsDir() {
		return []string{name}, err
	}
	entries, err := os.ReadDir(name)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if !e.IsDir() && slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(e.Name())) {
			files = append(files, filepath.Join(name, e.Name()))
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no file ends with .yaml, .yml or .json", name)
	}
	return files, nil
}

// apply declares tenants one after the other, and goes on with the next when one is refused.
func (a *applying) apply(ctx context.Context, w io.Writer, parts []config.Part) error {
	method, query := http.MethodPatch, make(url.Values)
	if a.prune {
		method = http.MethodPut
	}
	if a.dry {
		query.Set("dryRun", "true")
	}
	var refused []error
	for i := range parts {
		var answer struct{ Changes []difference }
		method, what := method, "tenants"
		if parts[i].Plan {
			method, what = http.MethodPut, "plans"
		}
		err := a.ask(ctx, method, path(what, parts[i].Name), query, parts[i].JSON, &answer)
		if p, ok := errors.AsType[*problem](err); ok {
			refused = append(refused, placed(&parts[i], p))
			continue
		}
		if err != nil {
			return errors.Join(append(refused, err)...)
		}
		writeChanges(w, &parts[i], answer.Changes)
	}
	if a.dry {
		fmt.Fprintln(w, "nothing was changed: this was a dry run")
	}
	return errors.Join(refused...)
}

// placed says where in the file the mistakes are.
func placed(part *config.Part, p *problem) error {
	if len(p.Errors) == 0 {
		return fmt.Errorf("%s: tenant %s: %w", part.Place(""), part.Name, p)
	}
	lines := make([]string, len(p.Errors))
	for i := range p.Errors {
		at := p.Errors[i].path()
		lines[i] = strings.ReplaceAll(fmt.Sprintf("%s: %s: %s", part.Place(at), at, p.Errors[i].Message), ": : ", ": ")
	}
	return errors.New(strings.Join(lines, "\n"))
}

// difference is one thing that has changed.
type difference struct {
	List, Name, Change string
	Fields             []struct{ Path, From, To string }
}

// signs are those of changes.
var signs = map[string]string{"added": "+", "removed": "-", "altered": "~"}

// writeChanges shows what has changed in a tenant: things with a + have been added, those with a - removed, and of those with
// a ~ each setting that has changed.
func writeChanges(w io.Writer, part *config.Part, changes []difference) {
	whole := "tenant " + part.Name
	if part.Plan {
		whole = "plan " + part.Name
	}
	if len(changes) == 0 {
		fmt.Fprintf(w, "  %s: nothing to change\n", whole)
		return
	}
	if changes[0].List != "" && !part.Plan {
		fmt.Fprintf(w, "  %s\n", whole)
	}
	for _, c := range changes {
		sign := signs[c.Change]
		indent, what := "  ", strings.TrimSuffix(strings.TrimSuffix(c.List, "s"), "sse")+" "+c.Name
		switch c.List {
		case "":
			indent, what = "", whole
		case "addresses":
			what = "address " + c.Name
		case "plans":
			indent = ""
		}
		if sign == "+" {
			fmt.Fprintf(w, "%s %s%s%s\n", sign, indent, printable(what), summary(&c))
			continue
		}
		fmt.Fprintf(w, "%s %s%s\n", sign, indent, printable(what))
		for _, f := range c.Fields {
			fmt.Fprintf(w, "%s %s  %s: %s -> %s\n", sign, indent, printable(f.Path), orDefault(f.From), orDefault(f.To))
		}
	}
}

// summary shows the settings of what is new on its line.
func summary(c *difference) string {
	var b strings.Builder
	for i, f := range c.Fields {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, " %s: %s", printable(f.Path), printable(f.To))
	}
	if b.Len() == 0 {
		return ""
	}
	return " " + b.String()
}

func orDefault(value string) string {
	if value == "" {
		return "(default)"
	}
	return printable(value)
}
