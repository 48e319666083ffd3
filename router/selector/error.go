package selector

import "fmt"

// SyntaxError says where and why a text is no selector.
type SyntaxError struct {
	Offset int    // in octets from the start of the text
	Reason string // what was found, and what was expected
}

// Error implements error.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("selector: at octet %d: %s", e.Offset, e.Reason)
}

func syntaxError(offset int, format string, args ...any) error {
	return &SyntaxError{Offset: offset, Reason: fmt.Sprintf(format, args...)}
}
