package modulelog

import (
	"strings"
	"time"
)

// stamp gives a time in a layout of strftime, of which what is not known is left as it is.
func stamp(at time.Time, layout string) string {
	if layout == "" {
		return at.Format("2006-01-02 15:04:05.000000 -0700")
	}
	var b strings.Builder
	for i := 0; i < len(layout); i++ {
		if layout[i] != '%' || i+1 == len(layout) {
			b.WriteByte(layout[i])
			continue
		}
		i++
		if known, ok := fields[layout[i]]; ok {
			b.WriteString(at.Format(known))
		} else {
			b.WriteString("%" + layout[i:i+1])
		}
	}
	return b.String()
}

// fields are those of strftime in the words of package time.
var fields = map[byte]string{
	'Y': "2006", 'm': "01", 'd': "02", 'H': "15", 'M': "04", 'S': "05", 'z': "-0700", 'Z': "MST", 'y': "06", 'b': "Jan", 'B': "January",
	'a': "Mon", 'A': "Monday", 'e': "_2", 'I': "03", 'p': "PM", 'j': "002", 'F': "2006-01-02", 'T': "15:04:05", 'R': "15:04",
	'D': "01/02/06", 'c': "Mon Jan _2 15:04:05 2006", '%': "%",
}
