package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes. In text it is a whole number and a unit: B, KiB, MiB, GiB, TiB by 1024, or kB, MB, GB, TB
// by 1000; without a unit it is bytes.
type Size int64

// The units, from the largest, so that the first that divides a size is the one to show it in.
var units = [...]struct {
	name  string
	bytes int64
}{
	{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"B", 1},
}

// UnmarshalText reads a size.
func (s *Size) UnmarshalText(text []byte) error {
	number, unit := splitUnit(string(text))
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 {
		return fmt.Errorf("%.40q is not a size such as 512, 64KiB or 1MiB", text)
	}
	factor, err := unitBytes(unit)
	if err != nil {
		return err
	}
	if n > math.MaxInt64/factor {
		return errors.New("the size does not fit 63 bits")
	}
	*s = Size(n * factor)
	return nil
}

func splitUnit(text string) (number, unit string) {
	i := strings.LastIndexAny(text, "0123456789") + 1
	return text[:i], strings.TrimSpace(text[i:])
}

func unitBytes(name string) (int64, error) {
	if name == "" {
		return 1, nil
	}
	for _, u := range units {
		if u.name == name {
			return u.bytes, nil
		}
	}
	return 0, fmt.Errorf("%.40q is no unit of size; one of B, KiB, MiB, GiB, TiB, kB, MB, GB, TB", name)
}

// String gives the size in the largest power of 1024 that it is a whole number of.
func (s Size) String() string {
	for _, u := range units[:4] {
		if s != 0 && int64(s)%u.bytes == 0 {
			return strconv.FormatInt(int64(s)/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}
