package stomp

import (
	"github.com/manifoldmq/manifold/router"
	"github.com/manifoldmq/manifold/router/amqp"
)

// parseID reads the message id or correlation id in a header.
func parseID(header, text string) (any, error) {
	id, err := amqp.ParseID(text)
	if err != nil {
		return nil, router.Errorf(router.Malformed, "%s: %v", header, err)
	}
	return id, nil
}
