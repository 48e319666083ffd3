package tenancy

import "net/netip"

// Connections are counted by the register itself. Those of each user and of each address of origin are counted beside it
// while there is a limit of them: most tenants have none, and then a connection costs nothing for it.

// enter takes in a visit, if there is room.
func (a *Allowance) enter(d *Directory, v *Visit) error {
	if a == nil {
		return ErrNoSuchTenant
	}
	a.entering.Lock()
	defer a.entering.Unlock()
	origin := originOf(v.address.Addr())
	for _, room := range []struct {
		limit Limit
		taken int
	}{
		{MaxConnections, a.visits.Len()},
		{MaxConnectionsPerUser, a.users[v.User()]},
		{MaxConnectionsPerAddress, a.origins[origin]},
	} {
		if most := a.Most(room.limit); most > 0 && int64(room.taken) >= most {
			return a.Refuse(room.limit)
		}
	}
	a.visits.Add(&d.numbers, v, &v.number)
	a.count(v, 1)
	return nil
}

func (a *Allowance) leave(v *Visit) {
	a.entering.Lock()
	defer a.entering.Unlock()
	a.visits.Remove(v.number)
	a.count(v, -1)
}

// count follows a visit in what is counted.
func (a *Allowance) count(v *Visit, n int) {
	addTo(a.users, v.User(), n)
	addTo(a.origins, originOf(v.address.Addr()), n)
}

// addTo adds to a count, if any are kept, and forgets one that is 0.
func addTo[K comparable](counts map[K]int, key K, n int) {
	if counts == nil {
		return
	}
	if counts[key] += n; counts[key] == 0 {
		delete(counts, key)
	}
}

// recount counts what a new plan limits, and forgets what it does not.
func (a *Allowance) recount(p *Plan) {
	a.users, a.origins = nil, nil
	if p.Most[MaxConnectionsPerUser] > 0 {
		a.users = make(map[string]int)
	}
	if p.Most[MaxConnectionsPerAddress] > 0 {
		a.origins = make(map[netip.Prefix]int)
	}
	if a.users == nil && a.origins == nil {
		return
	}
	for _, v := range a.visits.Page(0, a.visits.Len()) {
		a.count(v, 1)
	}
}
