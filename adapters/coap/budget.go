package coap

import (
	"sync/atomic"

	"github.com/manifoldmq/manifold/adapters/coap/internal/block"
)

// budget is the memory that unfinished bodies of all peers share. It may be used from any goroutine.
type budget struct{ left atomic.Int64 }

var _ block.Budget = (*budget)(nil)

func newBudget(bytes int) *budget {
	b := new(budget)
	b.left.Store(int64(bytes))
	return b
}

// Take implements block.Budget.
func (b *budget) Take(n int) bool {
	if b.left.Add(int64(-n)) >= 0 {
		return true
	}
	b.left.Add(int64(n))
	return false
}

// Give implements block.Budget.
func (b *budget) Give(n int) { b.left.Add(int64(n)) }
