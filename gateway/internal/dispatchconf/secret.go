package dispatchconf

import "strings"

// Secret is a password, or where it is: one of the three.
type Secret struct {
	Text     string
	Variable string // of the environment
	File     string // the name of one that has it in its first line
}

// ParseSecret reads an attribute that is a password: "pass:" or "literal:" goes before one, "env:" before a variable that has
// it, "file:" before a file; anything else is one as it is.
func ParseSecret(text string) Secret {
	kind, rest, _ := strings.Cut(text, ":")
	rest = strings.TrimSpace(rest)
	switch kind {
	case "pass", "literal":
		return Secret{Text: rest}
	case "env":
		return Secret{Variable: rest}
	case "file":
		return Secret{File: rest}
	}
	return Secret{Text: text}
}

// In gives the password, if it is in no file; environment gives the values of variables.
func (s Secret) In(environment func(string) string) string {
	if s.Variable != "" {
		return environment(s.Variable)
	}
	return s.Text
}
