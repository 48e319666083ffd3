package api

import "sort"

// Paging is which part of a list is wanted.
type Paging struct {
	After string `query:"after" doc:"the value of next on the page before"`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"how many at most"`
}

// page is a part of a list.
type page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"what after has to be for the next page; none when this is the last one"`
}

// output is an answer with a page.
type output[T any] struct{ Body page[T] }

// paged gives a page of a list that is in the order of names. include gives an item, and tells whether it is on the list at
// all.
func paged[T any](p Paging, count int, name func(int) string, include func(int) (T, bool)) *output[T] {
	items := []T{}
	last := 0
	for i := sort.Search(count, func(i int) bool { return name(i) > p.After }); i < count; i++ {
		item, ok := include(i)
		if !ok {
			continue
		}
		if len(items) == p.Limit {
			return &output[T]{page[T]{items, name(last)}}
		}
		items, last = append(items, item), i
	}
	return &output[T]{page[T]{Items: items}}
}
