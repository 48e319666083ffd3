package router

import "github.com/manifoldmq/manifold/addressing"

// senders are those of an anycast definition by their addresses, each with the credit that it has coming when somebody
// receives there: its window at first, and later what it gave back.
type senders map[addressing.Address]map[*Sender]int

func (all senders) add(s *Sender) {
	there := all[s.Address()]
	if there == nil {
		there = make(map[*Sender]int)
		all[s.Address()] = there
	}
	there[s] = s.window
}

func (all senders) remove(s *Sender) {
	there := all[s.Address()]
	if delete(there, s); len(there) == 0 {
		delete(all, s.Address())
	}
}

// wait tells whether a sender to an address has credit coming.
func (all senders) wait(a addressing.Address) bool {
	for _, owed := range all[a] {
		if owed > 0 {
			return true
		}
	}
	return false
}

// grant gives the senders to an address what they have coming, those who are welcome by their rank.
func (all senders) grant(a addressing.Address, welcome func(rank) bool) {
	there := all[a]
	for s, owed := range there {
		if owed > 0 && welcome(s.rank) {
			there[s] = 0
			s.welcome(owed)
		}
	}
}

// withdraw asks the senders of a rank to an address, to which something came in vain, for what they have of credit.
func (all senders) withdraw(a addressing.Address, r rank) {
	for s, owed := range all[a] {
		if w, ok := s.producer.(Withdrawer); ok && s.rank == r && owed < s.window {
			w.Withdraw(s)
		}
	}
}

// owe notes that a sender has given back credit. It is false for one that has left.
func (all senders) owe(s *Sender, credit int) bool {
	there := all[s.Address()]
	if _, ok := there[s]; !ok {
		return false
	}
	there[s] += credit
	return true
}
