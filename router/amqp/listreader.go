package amqp

// ListReader reads the fields of a list in order [1.4]. Between [Decoder.ReadList] and [ListReader.End] the values
// are read from the decoder itself:
//
//	fields := d.ReadList()
//	if fields.Next() {
//		open.ContainerID = d.ReadString()
//	}
//	if fields.Next() {
//		open.Hostname = d.ReadString()
//	}
//	fields.End()
//
// Each true of Next must be followed by exactly one read.
type ListReader struct {
	d     *Decoder
	left  int // fields not yet seen
	end   int // where the list ends
	outer int // limit of the decoder around the list
}

// ReadList reads the start of a list [1.6.22]. If the next value is no list, the decoder has failed and the list is
// empty.
func (d *Decoder) ReadList() ListReader {
	l := ListReader{d: d, outer: d.limit}
	c := d.constructor()
	if !c.isList() {
		d.mismatch("list", c)
	} else if d.enter() {
		l.end, l.left = d.compound(c)
	}
	if d.err != nil {
		return ListReader{d: d, outer: l.outer}
	}
	d.limit = l.end
	return l
}

// Next moves to the next field and reports whether it has a value. It is false for null, which is then read, and
// for a field that the sender left out at the end of the list.
func (l *ListReader) Next() bool {
	if l.left == 0 {
		return false
	}
	l.left--
	return !l.d.ReadNull()
}

// Len returns how many fields have not been moved to yet.
func (l *ListReader) Len() int { return l.left }

// End closes the list: fields that were not read are skipped, and the size of the list must be what its fields take.
func (l *ListReader) End() {
	d := l.d
	for ; l.left > 0 && d.err == nil; l.left-- {
		d.Skip()
	}
	if d.err != nil {
		return
	}
	if d.off != l.end {
		d.fail("list is longer than its fields")
		return
	}
	d.limit = l.outer
	d.leave()
}
