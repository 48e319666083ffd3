package addressing

// Phases of an anycast address are told apart by numbers. What is sent comes in at phase 0; who receives takes from phase 0 too, but
// for addresses that lead through others.
const (
	LastPhase uint8 = 9         // the highest that a message may be sent at, or received from
	Fallback  uint8 = 'F' - '0' // of those who get what nobody else wants; Qpid Dispatch has the letter for it
)
