package amqp

// MapWriter appends a map entry by entry, without a Go map [1.6.23]. All its keys are strings, or all are symbols,
// as it was begun. It holds the buffer between its beginning and [MapWriter.End]. The caller sees to it that no key
// occurs twice.
type MapWriter struct {
	compound
	key Code // CodeString8 or CodeSymbol8
}

// BeginMap starts a map with string keys at the end of dst.
func BeginMap(dst []byte) MapWriter {
	return MapWriter{compound: beginCompound(dst, CodeMap8), key: CodeString8}
}

// BeginFields starts a map with symbol keys at the end of dst. [2.8.13] calls such a map fields, [3.2.10]
// annotations.
func BeginFields(dst []byte) MapWriter {
	return MapWriter{compound: beginCompound(dst, CodeMap8), key: CodeSymbol8}
}

// Key appends a key and returns the buffer for an append function to append the value to. Hand its result to
// [MapWriter.Put]. The other methods do both.
func (w *MapWriter) Key(key string) []byte {
	return append(appendVariable(w.dst, w.key, len(key)), key...)
}

// Put takes back the buffer with one more entry appended.
func (w *MapWriter) Put(dst []byte) { w.add(dst, 2) }

// Bool appends an entry with a boolean.
func (w *MapWriter) Bool(key string, v bool) { w.Put(AppendBool(w.Key(key), v)) }

// Uint appends an entry with a uint.
func (w *MapWriter) Uint(key string, v uint32) { w.Put(AppendUint(w.Key(key), v)) }

// Ulong appends an entry with a ulong.
func (w *MapWriter) Ulong(key string, v uint64) { w.Put(AppendUlong(w.Key(key), v)) }

// Int appends an entry with an int.
func (w *MapWriter) Int(key string, v int32) { w.Put(AppendInt(w.Key(key), v)) }

// Long appends an entry with a long.
func (w *MapWriter) Long(key string, v int64) { w.Put(AppendLong(w.Key(key), v)) }

// Double appends an entry with a double.
func (w *MapWriter) Double(key string, v float64) { w.Put(AppendDouble(w.Key(key), v)) }

// Timestamp appends an entry with a timestamp.
func (w *MapWriter) Timestamp(key string, v Timestamp) { w.Put(AppendTimestamp(w.Key(key), v)) }

// UUID appends an entry with a uuid.
func (w *MapWriter) UUID(key string, v UUID) { w.Put(AppendUUID(w.Key(key), v)) }

// Binary appends an entry with a binary.
func (w *MapWriter) Binary(key string, v []byte) { w.Put(AppendBinary(w.Key(key), v)) }

// String appends an entry with a string.
func (w *MapWriter) String(key, v string) { w.Put(AppendString(w.Key(key), v)) }

// Symbol appends an entry with a symbol.
func (w *MapWriter) Symbol(key string, v Symbol) { w.Put(AppendSymbol(w.Key(key), v)) }

// Raw appends an entry with an encoded value.
func (w *MapWriter) Raw(key string, v RawValue) { w.Put(append(w.Key(key), v...)) }

// Any appends an entry with v, which must be as for [AppendAny]. On an error the entry is left out.
func (w *MapWriter) Any(key string, v any) error {
	dst, err := AppendAny(w.Key(key), v)
	if err != nil {
		return err
	}
	w.Put(dst)
	return nil
}

// Pair appends an entry of which key and value are encoded, such as [MapView.All] yields them.
func (w *MapWriter) Pair(key, value RawValue) {
	w.Put(append(append(w.dst, key...), value...))
}

// Len returns the number of entries so far.
func (w *MapWriter) Len() int { return w.count / 2 }

// End closes the map and returns the buffer. The writer must not be used afterwards.
func (w *MapWriter) End() []byte { return w.end() }
