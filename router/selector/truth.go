package selector

// truth is what a condition is [JMS 2.0, 3.8.1.2].
type truth uint8

const (
	unknown truth = iota
	no
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// not follows the table for NOT.
func (t truth) not() truth {
	switch t {
	case yes:
		return no
	case no:
		return yes
	default:
		return unknown
	}
}

// and follows the table for AND.
func (t truth) and(u truth) truth {
	switch {
	case t == no || u == no:
		return no
	case t == yes && u == yes:
		return yes
	default:
		return unknown
	}
}

// or follows the table for OR.
func (t truth) or(u truth) truth {
	return t.not().and(u.not()).not()
}
