package addressing

// Canonical returns a text from which [ParseCanonical] makes the same filter again: that of a literal filter is its address
// as it was written, and '+' stands for one level as it does in MQTT. So filters and addresses can be told apart among each
// other, whatever their levels are. A filter of tokens has none.
func (f Filter) Canonical() (text string, ok bool) { return f.text, !f.IsZero() && !f.IsTokens() }

// ParseCanonical reads what [Filter.Canonical] returns.
func ParseCanonical(text string) (Filter, error) { return newFilter(text) }
