package network

import "time"

// FederationStatus tells how a link to another network is.
type FederationStatus struct {
	FederationLink
	Peer     string    // the tag of the other network; empty as long as that was not reached
	Wanted   bool      // whether it is to be there: some are only while somebody subscribes
	Attached bool      // whether it is
	Since    time.Time // when that became so
	Error    string    // why it is not, or why messages wait; empty for neither

	Taken     uint64 // messages that have gone over it and have arrived
	Excluded  uint64 // messages that were not taken, as they have been there before
	Postponed uint64 // times that a message was not accepted, and waits to be tried again
}

// Federation tells how the links to other networks are, in the order in which they were declared.
func (n *Network) Federation() []FederationStatus {
	if n.config.Federation == nil {
		return nil
	}
	n.mu.Lock()
	there := make(map[*federated]*autoLink)
	for declared, l := range n.links {
		if declared.federated != nil {
			there[declared.federated] = l
		}
	}
	n.mu.Unlock()
	var all []FederationStatus
	for _, f := range n.config.Federation.links {
		s := FederationStatus{
			FederationLink: f.FederationLink, Peer: f.peerTag(),
			Taken: f.taken.Load(), Excluded: f.excluded.Load(), Postponed: f.postponed.Load(),
		}
		if l := there[f]; l != nil {
			status := l.describe()
			s.Wanted, s.Attached, s.Since, s.Error = true, status.Attached, status.Since, status.Error
		}
		all = append(all, s)
	}
	return all
}
