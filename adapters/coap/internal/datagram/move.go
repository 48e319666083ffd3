package datagram

// Moved tells that the peer is heard from another address. Its messages are authentic there too, but somebody on the way may
// have diverted them, so it has to prove the new address before it gets much (RFC 9146 section 6).
func (s *Session) Moved() {
	s.proven = s.shared.Limits.Amplification == 0
	s.heardBytes, s.sentBytes, s.guesses, s.proofs = 0, 0, 0, 0
}
