package passage

// The messages of a transaction come before its discharge, which is a message to a coordinator over another link of their
// session [4.3]. The engine has the links take turns, so what is for a coordinator waits here until all is written that
// came before it.

// barrier says how much of what a link was given is to be written first.
type barrier struct {
	end   *End
	given int // weight
}

// coordinates tells whether the peer is a coordinator.
func (e *End) coordinates() bool { return e.link.Local() != nil && e.link.Local().Coordinator != nil }

// barriers are what is not written of the other links of the session.
func (e *End) barriers() (all []barrier) {
	if m := e.desk.sessions[e.elsewhere]; m != nil {
		for _, other := range m.ends {
			if b := (barrier{other, other.given}); other != e && !b.isPassed() {
				all = append(all, b)
			}
		}
	}
	return all
}

func (b barrier) isPassed() bool {
	return b.end.over || b.end.link == nil || b.end.given-b.end.unwritten() >= b.given
}

// isDue tells whether all is written that comes before a piece.
func (x *piece) isDue() bool {
	for _, b := range x.after {
		if !b.isPassed() {
			return false
		}
	}
	x.after = nil
	return true
}
