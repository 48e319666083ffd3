package queue

// lastValues finds the last message of each key.
type lastValues struct {
	last       map[string]Seq
	key        map[Seq]string
	superseded map[Seq]struct{} // held by a consumer when a later one came
	most       int              // how many messages with keys there were, at most
}

func (v *lastValues) remember(key string, seq Seq) {
	if v.last == nil {
		v.last, v.key = make(map[string]Seq), make(map[Seq]string)
	}
	v.last[key], v.key[seq] = seq, key
	v.most = max(v.most, len(v.key))
}

// forget follows an entry out of the queue.
func (v *lastValues) forget(seq Seq) {
	key, ok := v.key[seq]
	if !ok {
		return
	}
	delete(v.key, seq)
	delete(v.superseded, seq)
	if v.last[key] == seq {
		delete(v.last, key)
	}
	if len(v.key) == 0 && v.most > keep {
		*v = lastValues{}
	}
}

// supersede marks the last message of a key, which cannot be removed now.
func (v *lastValues) supersede(key string) {
	seq, ok := v.last[key]
	if !ok {
		return
	}
	if v.superseded == nil {
		v.superseded = make(map[Seq]struct{})
	}
	v.superseded[seq] = struct{}{}
}

func (v *lastValues) isSuperseded(seq Seq) bool {
	_, ok := v.superseded[seq]
	return ok
}

// replaceable gives the entry that a new one with its key takes the place of, or none. One that is held stays until it
// comes back.
func (q *Queue) replaceable(key string) entry {
	if key != "" {
		if e := q.look(q.values.last[key]); droppable.has(e.state) {
			return e
		}
	}
	return entry{}
}
