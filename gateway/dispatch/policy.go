package dispatch

// policy is what is said of who may do what.
type policy struct {
	enabled bool
}

// policy reads whether who may do what is looked at at all.
func (t *translator) policyEntity(e *entity) error {
	var err error
	t.rules.enabled, err = e.flag(false, "enableVhostPolicy")
	return err
}

func (t *translator) vhost(e *entity) error { return nil }

func (t *translator) applyPolicy() {}
