package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"
)

// NewDescribeCommand returns the command `describe`, which shows all there is about a thing.
func NewDescribeCommand() *cobra.Command {
	var s server
	cmd := &cobra.Command{
		Use:   "describe TYPE NAME",
		Short: "Show all there is about one thing",
		Example: `  manifold describe address jobs
  manifold describe tenant acme`,
		Args: cobra.ExactArgs(2),
		PreRunE: func(cmd *cobra.Command, args []string) error {
			if _, err := kindOf(args[0]); err != nil {
				return err
			}
			return s.prepare(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			k, err := kindOf(args[0])
			if err != nil {
				return err
			}
			return s.describe(cmd.Context(), cmd.OutOrStdout(), k, args[1])
		},
		ValidArgsFunction: s.completeThings,
	}
	s.addFlags(cmd)
	return cmd
}

// describe shows a thing, and what belongs to it.
func (s *server) describe(ctx context.Context, w io.Writer, k *kind, name string) error {
	found, err := s.find(ctx, k, name)
	if err != nil {
		return err
	}
	v := decoded(found)
	switch {
	case k.name == "tenants":
		fmt.Fprintf(w, "# tenant, declared by the %s\n", text(member(v, "source")))
		if err := s.show(ctx, w, k.one(s, name)); err != nil {
			return err
		}
	case k.declared:
		var item struct{ Value json.RawMessage }
		if err := json.Unmarshal(found, &item); err != nil {
			return err
		}
		whose := " of tenant " + s.tenant
		if k.platform {
			whose = ""
		}
		fmt.Fprintf(w, "# %s%s, declared by the %s\n", k.single(), whose, text(member(v, "source")))
		if err := writeYAML(w, item.Value); err != nil {
			return err
		}
	default:
		if err := writeYAML(w, found); err != nil {
			return err
		}
	}
	switch k.name {
	case "addresses":
		return s.append(ctx, w, "queue", s.of("queues", name))
	case "tenants":
		return s.append(ctx, w, "usage", path("tenants", name, "usage"))
	}
	return nil
}

// append shows something more, if it is there.
func (s *server) append(ctx context.Context, w io.Writer, title, path string) error {
	var b bytes.Buffer
	err := s.show(ctx, &b, path)
	if p, ok := errors.AsType[*problem](err); ok && p.Status == http.StatusNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\n# %s\n%s", title, b.Bytes())
	return err
}

// show shows what is at a path of the API.
func (s *server) show(ctx context.Context, w io.Writer, path string) error {
	var v json.RawMessage
	if err := s.ask(ctx, http.MethodGet, path, nil, nil, &v); err != nil {
		return err
	}
	return writeYAML(w, v)
}
