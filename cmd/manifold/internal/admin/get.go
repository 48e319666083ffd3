package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/manifoldmq/manifold/gateway/config"
)

// forms are those of an output.
var forms = []string{"table", "json", "yaml"}

// NewGetCommand returns the command `get`, which shows things.
func NewGetCommand() *cobra.Command {
	var (
		s    server
		form string
		most int
	)
	cmd := &cobra.Command{
		Use:   "get TYPE [NAME]",
		Short: "Show what a gateway has been told, and what it does",
		Long: "Show things of a gateway: " + strings.Join(kindNames(), ", ") + `.

What -o yaml prints of tenants, addresses, roles, users and webhooks, 'manifold apply -f' takes. Secrets are shown as "kept",
which means to apply that they stay what they are.`,
		Example: `  manifold get tenants
  manifold get addresses --tenant acme -o yaml > acme.yaml
  manifold get connections -o json | jq '.[].client'`,
		Args: cobra.RangeArgs(1, 2),
		PreRunE: func(cmd *cobra.Command, args []string) error {
			if _, err := kindOf(args[0]); err != nil {
				return err
			}
			if err := oneOf("--output", form, forms); err != nil {
				return err
			}
			return s.prepare(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			k, err := kindOf(args[0])
			if err != nil {
				return err
			}
			if len(args) == 2 {
				return s.getOne(cmd.Context(), cmd.OutOrStdout(), k, args[1], form)
			}
			query := make(url.Values)
			if k.name == "connections" || k.name == "links" {
				if cmd.Flags().Changed("tenant") {
					query.Set("tenant", s.tenant)
				}
			}
			things, more, err := s.pages(cmd.Context(), k.list(&s), query, most)
			if err != nil {
				return err
			}
			if more {
				fmt.Fprintf(cmd.ErrOrStderr(), "the first %d only; --limit shows more\n", most)
			}
			return s.write(cmd.Context(), cmd.OutOrStdout(), k, things, form)
		},
		ValidArgsFunction: s.completeThings,
	}
	s.addFlags(cmd)
	cmd.Flags().StringVarP(&form, "output", "o", "table", "`FORM`: "+strings.Join(forms, ", "))
	cmd.Flags().IntVar(&most, "limit", 0, "`N` things at most; 0 is all")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(forms, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func oneOf(flag, value string, known []string) error {
	for _, k := range known {
		if k == value {
			return nil
		}
	}
	return fmt.Errorf("%s %q is not one of %s", flag, value, strings.Join(known, ", "))
}

// getOne shows one thing.
func (s *server) getOne(ctx context.Context, w io.Writer, k *kind, name, form string) error {
	found, err := s.find(ctx, k, name)
	if err != nil {
		return err
	}
	if form == "json" {
		return writeJSON(w, found)
	}
	return s.write(ctx, w, k, []json.RawMessage{found}, form)
}

// find gives a thing as it is on the list of its kind.
func (s *server) find(ctx context.Context, k *kind, name string) (json.RawMessage, error) {
	switch k.name {
	case "addresses", "roles", "users", "webhooks", "plans":
		var value json.RawMessage
		header, err := s.askFor(ctx, http.MethodGet, k.one(s, name), nil, nil, &value)
		if err != nil {
			return nil, named(k, name, err)
		}
		return json.Marshal(map[string]any{"source": header.Get("Manifold-Source"), "etag": header.Get("Etag"), "value": value})
	case "queues", "connections":
		var thing json.RawMessage
		err := s.ask(ctx, http.MethodGet, k.one(s, name), nil, nil, &thing)
		return thing, named(k, name, err)
	}
	things, _, err := s.pages(ctx, k.list(s), nil, 0)
	if err != nil {
		return nil, err
	}
	for _, thing := range things {
		if k.nameOf(decoded(thing)) == name {
			return thing, nil
		}
	}
	return nil, notThere(k, name)
}

// named says what is not there.
func named(k *kind, name string, err error) error {
	if p, ok := errors.AsType[*problem](err); ok && p.Status == http.StatusNotFound {
		return notThere(k, name)
	}
	return err
}

func notThere(k *kind, name string) error { return fmt.Errorf("there is no %s %q", k.single(), name) }

// single is what one of a kind is called.
func (k *kind) single() string { return k.others[0] }

// decoded gives a thing to look into.
func decoded(thing json.RawMessage) (v any) {
	decoder := json.NewDecoder(bytes.NewReader(thing))
	decoder.UseNumber()
	_ = decoder.Decode(&v) // it is a part of what was decoded before
	return v
}

func (k *kind) nameOf(thing any) string { return text(member(thing, k.identity)) }

// write shows things.
func (s *server) write(ctx context.Context, w io.Writer, k *kind, things []json.RawMessage, form string) error {
	switch {
	case form == "json":
		return writeJSON(w, things)
	case form == "yaml" && k.declared:
		document, err := s.declaration(ctx, k, things)
		if err != nil {
			return err
		}
		return writeYAML(w, document)
	case form == "yaml":
		return writeYAML(w, map[string]any{k.name: things})
	}
	return k.table(w, things)
}

func writeJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if things, ok := v.([]json.RawMessage); ok && things == nil {
		v = []json.RawMessage{}
	}
	return encoder.Encode(v)
}

func writeYAML(w io.Writer, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if text, err = config.YAML(text); err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

// declaration gives things as a configuration declares them.
func (s *server) declaration(ctx context.Context, k *kind, things []json.RawMessage) (any, error) {
	type tenants struct {
		Tenants []any `json:"tenants"`
	}
	var all []any
	if k.name == "tenants" {
		for _, thing := range things {
			var t json.RawMessage
			if err := s.ask(ctx, http.MethodGet, k.one(s, k.nameOf(decoded(thing))), nil, nil, &t); err != nil {
				return nil, err
			}
			all = append(all, t)
		}
		return tenants{all}, nil
	}
	for _, thing := range things {
		var item struct{ Value json.RawMessage }
		if err := json.Unmarshal(thing, &item); err != nil {
			return nil, err
		}
		all = append(all, item.Value)
	}
	if k.name == "plans" {
		return map[string]any{"plans": all}, nil
	}
	name, err := json.Marshal(s.tenant)
	if err != nil {
		return nil, err
	}
	items, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	return tenants{[]any{json.RawMessage(`{"name":` + string(name) + `,"` + k.name + `":` + string(items) + `}`)}}, nil
}

// table writes things line by line.
func (k *kind) table(w io.Writer, things []json.RawMessage) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for i, c := range k.columns {
		fmt.Fprint(table, separator(i), c.title)
	}
	fmt.Fprintln(table)
	for _, thing := range things {
		v := decoded(thing)
		for i := range k.columns {
			fmt.Fprint(table, separator(i), printable(k.columns[i].cell(v)))
		}
		fmt.Fprintln(table)
	}
	return table.Flush()
}

func separator(i int) string {
	if i == 0 {
		return ""
	}
	return "\t"
}

// printable keeps what clients have named themselves from changing the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' {
			return '?'
		}
		return r
	}, text)
}
