package router

// verdicts is what becomes of a message of which several have a copy: once all of them have said what becomes of theirs, the
// weightiest of it.
type verdicts struct {
	missing int     // copies that have not ended
	said    bool    // one has
	most    Outcome // the weightiest so far
}

// weight puts outcomes in their order: one who rejects it has it rejected, and one who takes it has it accepted whatever the
// others could not do. That order is Qpid Dispatch Router's.
func (s State) weight() int {
	switch s {
	case Rejected:
		return 3
	case Accepted:
		return 2
	case Modified:
		return 1
	default:
		return 0
	}
}

// add notes how a copy has ended. It tells whether that was the last one.
func (v *verdicts) add(o Outcome) (last bool) {
	if !v.said || o.State.weight() > v.most.State.weight() {
		v.said, v.most = true, o
	}
	v.missing--
	return v.missing == 0
}

// outcome is that of the message: released if nobody had a copy.
func (v *verdicts) outcome() Outcome {
	if !v.said {
		return Release()
	}
	return v.most
}
