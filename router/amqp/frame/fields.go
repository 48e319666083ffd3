package frame

import "github.com/manifoldmq/manifold/router/amqp"

// fields reads the fields of a list, each with what it means to leave it out. Mistakes are the decoder's to keep.
type fields struct {
	d    *amqp.Decoder
	list amqp.ListReader
	name string // of what is being read
}

func readFields(d *amqp.Decoder, name string) fields {
	return fields{d: d, list: d.ReadList(), name: name}
}

// end closes the list and gives the first mistake.
func (f *fields) end() error {
	f.list.End()
	return f.d.Err()
}

func (f *fields) fail(reason string) { f.d.Fail(f.name + " " + reason) }

// must moves to a field that may not be left out.
func (f *fields) must(field string) bool {
	if f.list.Next() {
		return true
	}
	f.fail("has no " + field)
	return false
}

func (f *fields) mustString(field string) string {
	if f.must(field) {
		return f.d.ReadString()
	}
	return ""
}

func (f *fields) mustSymbol(field string) amqp.Symbol {
	if f.must(field) {
		return f.d.ReadSymbol()
	}
	return ""
}

func (f *fields) mustUint(field string) uint32 {
	if f.must(field) {
		return f.d.ReadUint()
	}
	return 0
}

func (f *fields) mustBinary(field string) []byte {
	if f.must(field) {
		return f.d.ReadBinary()
	}
	return nil
}

func (f *fields) mustRole() Role {
	return Role(f.must("role") && f.d.ReadBool())
}

func (f *fields) string() string {
	if f.list.Next() {
		return f.d.ReadString()
	}
	return ""
}

func (f *fields) symbol() amqp.Symbol {
	if f.list.Next() {
		return f.d.ReadSymbol()
	}
	return ""
}

func (f *fields) symbols() []amqp.Symbol {
	if f.list.Next() {
		return f.d.ReadSymbols()
	}
	return nil
}

// capabilities is symbols for what nobody is refused for: something else than a symbol says nothing here, as with Qpid Proton.
func (f *fields) capabilities() (all []amqp.Symbol) {
	if !f.list.Next() {
		return nil
	}
	keep := func(v any) {
		if s, ok := v.(amqp.Symbol); ok {
			all = append(all, s)
		}
	}
	switch v := f.d.ReadValue().(type) {
	case amqp.Array:
		for element := range v.All() {
			keep(element)
		}
	case amqp.List:
		for _, element := range v {
			keep(element)
		}
	default:
		keep(v)
	}
	return all
}

func (f *fields) binary() []byte {
	if f.list.Next() {
		return f.d.ReadBinary()
	}
	return nil
}

func (f *fields) bool() bool { return f.list.Next() && f.d.ReadBool() }

func (f *fields) uint(absent uint32) uint32 {
	if f.list.Next() {
		return f.d.ReadUint()
	}
	return absent
}

func (f *fields) optionalUint() (v uint32, ok bool) {
	if f.list.Next() {
		return f.d.ReadUint(), true
	}
	return 0, false
}

func (f *fields) ushort(absent uint16) uint16 {
	if f.list.Next() {
		return f.d.ReadUshort()
	}
	return absent
}

func (f *fields) optionalUshort() (v uint16, ok bool) {
	if f.list.Next() {
		return f.d.ReadUshort(), true
	}
	return 0, false
}

func (f *fields) ulong() uint64 {
	if f.list.Next() {
		return f.d.ReadUlong()
	}
	return 0
}

// choice reads a ubyte that stands for one of the values up to last.
func (f *fields) choice(field string, absent, last uint8) uint8 {
	if !f.list.Next() {
		return absent
	}
	v := f.d.ReadUbyte()
	if v > last {
		f.fail("has an unknown " + field)
		return absent
	}
	return v
}

// rawMap reads a map of any keys, as it is encoded.
func (f *fields) rawMap() amqp.RawValue {
	if !f.list.Next() {
		return nil
	}
	raw := f.d.ReadRaw()
	if _, ok := raw.Map(); !ok {
		f.fail("has something that is no map in the place of one")
	}
	return raw
}

// fieldMap reads a map with symbol keys, as it is encoded: what [2.8.13] calls fields, and [3.5.8] a filter set.
func (f *fields) fieldMap() amqp.RawValue {
	raw := f.rawMap()
	entries, _ := raw.Map()
	for key := range entries.All() {
		if c := key.Code(); c != amqp.CodeSymbol8 && c != amqp.CodeSymbol32 {
			f.fail("has a map whose key is no symbol")
		}
	}
	return raw
}

// error reads an error, nil when it is left out.
func (f *fields) error() *Error {
	if !f.list.Next() {
		return nil
	}
	return readError(f.d)
}

// state reads a delivery state, the zero State when it is left out.
func (f *fields) state(s *State) {
	*s = State{}
	if !f.list.Next() {
		return
	}
	s.read(f.d)
}

// expect reads a descriptor that has to be the given one.
func expect(d *amqp.Decoder, descriptor uint64, name string) {
	if d.ReadDescriptor() != descriptor {
		d.Fail("want " + name + ", found another described value")
	}
}

// putRaw appends an encoded field, or null for none.
func putRaw(f *amqp.ListWriter, v amqp.RawValue) {
	if len(v) == 0 {
		f.Null()
		return
	}
	f.Put(append(f.Buffer(), v...))
}

// putUint appends a uint field, or null for what its absence means.
func putUint(f *amqp.ListWriter, v, absent uint32) { f.UintOrNull(v, v != absent) }
