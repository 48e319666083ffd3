package http

import "github.com/manifoldmq/manifold/addressing"

// stores tells whether addresses of a kind keep messages for those who come later.
func stores(k addressing.Kind) bool { return k == addressing.Queue || k == addressing.Topic }
