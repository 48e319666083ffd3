package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// check collects what is wrong.
type check struct {
	problems Problems
}

// err is Problems, or nil when there are none.
func (k *check) err() error {
	if len(k.problems) > 0 {
		return k.problems
	}
	return nil
}

func (k *check) refuse(bad bool, path, format string, args ...any) {
	if bad {
		k.problems = append(k.problems, Problem{Path: path, Text: fmt.Sprintf(format, args...)})
	}
}

func (k *check) within(path string, n, low, high int) {
	k.refuse(n < low || n > high, path, "%d is not from %d to %d", n, low, high)
}

func (k *check) size(path string, s, low, high Size) {
	k.refuse(s < low || s > high, path, "%v is not from %v to %v", s, low, high)
}

// span checks a time to wait, of which the longest is a day.
func (k *check) span(path string, d, low time.Duration) {
	const high = 24 * time.Hour
	k.refuse(d < low || d > high, path, "%v is not from %v to %v", d, low, high)
}

func (k *check) oneOf(path, value string, allowed ...string) {
	k.refuse(!slices.Contains(allowed, value), path, "%.40q is not one of %s", value, strings.Join(allowed, ", "))
}
