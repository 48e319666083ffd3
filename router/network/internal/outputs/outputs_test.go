package outputs_test

import (
	"slices"
	"testing"

	"github.com/manifoldmq/manifold/router/network/internal/outputs"
)

func TestWhatIsPutFirstIsTakenFirst(t *testing.T) {
	var q outputs.Queue[int]
	for round := range 3 {
		for i := range 4 {
			q.Put(10*round + i)
		}
		if first, ok := q.Next(); first != 10*round || !ok {
			t.Fatalf("the first is %d, %v", first, ok)
		}
		q.Put(10*round + 4) // while others wait
		var rest []int
		for v, ok := q.Next(); ok; v, ok = q.Next() {
			rest = append(rest, v-10*round)
		}
		if want := []int{1, 2, 3, 4}; !slices.Equal(rest, want) {
			t.Errorf("then come %v, want %v", rest, want)
		}
	}
}
