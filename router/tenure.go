package router

// tenure is how long a node stays that is found by its address: for ever where that is declared, which bounds how many there
// are; otherwise, as other routers may name whatever addresses they like, as long as somebody is linked to it. The zero
// tenure is for ever.
type tenure struct {
	forget func() // has the node be found no more; nil for one that stays. It takes a leaf lock only.
	links  map[any]struct{}
	ended  bool
}

// begin notes a sender or a receiver. The error is ErrEnded when the node is not found any more: another is there by now.
func (t *tenure) begin(link any) error {
	switch {
	case t.forget == nil:
		return nil
	case t.ended:
		return ErrEnded
	case t.links == nil:
		t.links = make(map[any]struct{})
	}
	t.links[link] = struct{}{}
	return nil
}

// end notes that one has gone. With the last one the node ends.
func (t *tenure) end(link any) {
	if t.forget == nil || t.ended {
		return
	}
	if delete(t.links, link); len(t.links) == 0 {
		t.ended = true
		t.forget()
	}
}
