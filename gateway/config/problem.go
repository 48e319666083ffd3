package config

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with a configuration file.
type Problem struct {
	File string
	Line int
	Path string // the key's, such as tenants[0].addresses[2].kind; empty when no key is to blame
	Text string // what is wrong, and what would be right
}

func (p Problem) Error() string {
	var b strings.Builder
	switch {
	case p.File != "":
		fmt.Fprintf(&b, "%s:%d: ", p.File, p.Line)
	case p.Line > 0:
		fmt.Fprintf(&b, "line %d: ", p.Line)
	}
	if p.Path != "" {
		fmt.Fprintf(&b, "%s: ", p.Path)
	}
	b.WriteString(p.Text)
	return b.String()
}

// Problems is the error of a configuration file: everything that is wrong with it, in the order of the file.
type Problems []Problem

// maxShown bounds the error's text: a long list repeats one mistake.
const maxShown = 20

// Error shows one problem a line.
func (ps Problems) Error() string {
	var b strings.Builder
	for i, p := range ps[:min(len(ps), maxShown)] {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(p.Error())
	}
	if more := len(ps) - maxShown; more > 0 {
		fmt.Fprintf(&b, "\nand %d more", more)
	}
	return b.String()
}
