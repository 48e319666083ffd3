package selector_test

import (
	"fmt"

	"github.com/manifoldmq/manifold/router/amqp"
	"github.com/manifoldmq/manifold/router/selector"
)

func ExampleParse() {
	s, err := selector.Parse("color = 'red' AND size BETWEEN 10 AND 20")
	if err != nil {
		fmt.Println(err)
		return
	}
	color, size := amqp.Entry{Key: "color", Value: "red"}, amqp.Entry{Key: "size", Value: int32(12)}
	fmt.Println(s.Matches(withApplicationProperties(amqp.Map{color, size})))
	fmt.Println(s.Matches(withApplicationProperties(amqp.Map{color})))

	_, err = selector.Parse("color = red blue")
	fmt.Println(err)
	// Output:
	// true
	// false
	// selector: at octet 12: expected AND, OR or the end, found "blue"
}

// A property filter becomes a selector, whose text can be kept.
func ExampleProperties() {
	filter, err := amqp.AppendMap(nil, amqp.Map{
		{Key: amqp.Symbol("subject"), Value: "&p:order"},
		{Key: amqp.Symbol("user-id"), Value: []byte("Bob")},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := selector.Properties(filter)
	fmt.Println(s, err)
	// Output:
	// p.subject LIKE 'order%' ESCAPE '\' AND p.user_id = X'426f62' <nil>
}
