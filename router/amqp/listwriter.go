package amqp

// ListWriter appends a list field by field [1.6.22]. Nulls at the end of the list are left out, as [1.4] allows,
// and the list takes the smallest encoding that fits. It holds the buffer between [BeginList] and [ListWriter.End]:
//
//	fields := amqp.BeginList(amqp.AppendDescriptor(dst, amqp.DescriptorOpen))
//	fields.String(open.ContainerID)
//	fields.StringOrNull(open.Hostname)
//	fields.Put(open.Properties.Append(fields.Buffer())) // any append function, lists inside lists too
//	dst = fields.End()
type ListWriter struct {
	compound
	lastLen   int // length of the buffer after the last field that is not null
	lastCount int // fields up to there
}

// BeginList starts a list at the end of dst.
func BeginList(dst []byte) ListWriter {
	c := beginCompound(dst, CodeList8)
	return ListWriter{compound: c, lastLen: len(c.dst)}
}

// Buffer returns the buffer for an append function to append one field to. Hand its result to [ListWriter.Put].
func (l *ListWriter) Buffer() []byte { return l.dst }

// Put takes back the buffer with one more field appended.
func (l *ListWriter) Put(dst []byte) {
	null := len(dst) == len(l.dst)+1 && Code(dst[len(l.dst)]) == CodeNull
	l.add(dst, 1)
	if !null {
		l.lastLen, l.lastCount = len(l.dst), l.count
	}
}

// Null appends a field without a value.
func (l *ListWriter) Null() { l.add(AppendNull(l.dst), 1) }

// Bool appends a boolean field.
func (l *ListWriter) Bool(v bool) { l.Put(AppendBool(l.dst, v)) }

// Ubyte appends a ubyte field.
func (l *ListWriter) Ubyte(v uint8) { l.Put(AppendUbyte(l.dst, v)) }

// Ushort appends a ushort field.
func (l *ListWriter) Ushort(v uint16) { l.Put(AppendUshort(l.dst, v)) }

// Uint appends a uint field.
func (l *ListWriter) Uint(v uint32) { l.Put(AppendUint(l.dst, v)) }

// Ulong appends a ulong field.
func (l *ListWriter) Ulong(v uint64) { l.Put(AppendUlong(l.dst, v)) }

// String appends a string field, even if it is empty.
func (l *ListWriter) String(v string) { l.Put(AppendString(l.dst, v)) }

// Symbol appends a symbol field, even if it is empty.
func (l *ListWriter) Symbol(v Symbol) { l.Put(AppendSymbol(l.dst, v)) }

// Symbols appends a field marked multiple="true"; see [AppendSymbols].
func (l *ListWriter) Symbols(v ...Symbol) { l.Put(AppendSymbols(l.dst, v...)) }

// Binary appends a binary field, even if it is empty.
func (l *ListWriter) Binary(v []byte) { l.Put(AppendBinary(l.dst, v)) }

// BoolOrNull appends true, or null for the default false.
func (l *ListWriter) BoolOrNull(v bool) {
	if !v {
		l.Null()
		return
	}
	l.Bool(v)
}

// UintOrNull appends a uint field, or null if it is not present.
func (l *ListWriter) UintOrNull(v uint32, present bool) {
	if !present {
		l.Null()
		return
	}
	l.Uint(v)
}

// StringOrNull appends a string field, or null if it is empty.
func (l *ListWriter) StringOrNull(v string) {
	if v == "" {
		l.Null()
		return
	}
	l.String(v)
}

// SymbolOrNull appends a symbol field, or null if it is empty.
func (l *ListWriter) SymbolOrNull(v Symbol) {
	if v == "" {
		l.Null()
		return
	}
	l.Symbol(v)
}

// BinaryOrNull appends a binary field, or null if v is nil.
func (l *ListWriter) BinaryOrNull(v []byte) {
	if v == nil {
		l.Null()
		return
	}
	l.Binary(v)
}

// TimestampOrNull appends a timestamp field, or null if it is zero.
func (l *ListWriter) TimestampOrNull(v Timestamp) {
	if v == 0 {
		l.Null()
		return
	}
	l.Put(AppendTimestamp(l.dst, v))
}

// End closes the list and returns the buffer. The writer must not be used afterwards.
func (l *ListWriter) End() []byte {
	l.dst, l.count = l.dst[:l.lastLen], l.lastCount
	return l.end()
}
