package config

// nearest gives the name that needs the fewest edits to become word; ok is false when each is too different to be
// what was meant.
func nearest(word string, names []string) (name string, ok bool) {
	best := max(2, len(word)/2) + 1
	for _, candidate := range names {
		if d := distance(word, candidate); d < best {
			name, best, ok = candidate, d, true
		}
	}
	return name, ok
}

// distance is the number of letters to insert, delete or replace to turn a into b (Levenshtein), whatever their case.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i]|0x20 != b[j]|0x20 {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
