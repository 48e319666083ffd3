package config

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"
)

// setScalar reads text as the type of v asks for it.
func setScalar(v reflect.Value, text string) error {
	switch target := v.Addr().Interface().(type) {
	case encoding.TextUnmarshaler:
		return target.UnmarshalText([]byte(text))
	case *time.Duration:
		return setDuration(target, text)
	case *string:
		*target = text
	case *bool:
		return setBool(target, text)
	case *int, *int64:
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil {
			return fmt.Errorf("%.40q is not a whole number", text)
		}
		v.SetInt(n)
	case *float64:
		return setNumber(target, text)
	default:
		panic(fmt.Sprintf("config: no text becomes a %v", v.Type()))
	}
	return nil
}

func setDuration(d *time.Duration, text string) error {
	parsed, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%.40q is not a duration such as 500ms, 30s or 1h30m", text)
	}
	*d = parsed
	return nil
}

func setNumber(f *float64, text string) error {
	parsed, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(parsed) || math.IsInf(parsed, 0) {
		return fmt.Errorf("%.40q is not a number", text)
	}
	*f = parsed
	return nil
}

func setBool(b *bool, text string) error {
	switch text {
	case "true":
		*b = true
	case "false":
		*b = false
	default:
		return fmt.Errorf("%.40q is neither true nor false", text)
	}
	return nil
}
