package gateway

import (
	"context"

	"github.com/manifoldmq/manifold/gateway/internal/management"
	"github.com/manifoldmq/manifold/router"
)

// LinkRoutes implements management.Model.
func (m *managedTenant) LinkRoutes() []management.LinkRoute { return nil }

// AddLinkRoute implements management.Model.
func (m *managedTenant) AddLinkRoute(_ context.Context, r management.LinkRoute) (management.LinkRoute, error) {
	return r, router.Errorf(router.Unsupported, "link routes are declared in the configuration")
}

// RemoveLinkRoute implements management.Model.
func (m *managedTenant) RemoveLinkRoute(_ context.Context, identity string) error {
	return router.Errorf(router.NotFound, "there is no link route %q", identity)
}
