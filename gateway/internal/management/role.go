package management

// fits tells why a router of a mode has no connections of a role, in the words that users of Qpid Dispatch look for.
func fits(mode, role string, listens bool) error {
	between := role == "inter-router" || role == "edge"
	switch {
	case mode == "standalone" && between:
		return faultf(statusBadRequest, "role='standalone' not allowed to connect to or accept connections from other routers.")
	case mode != "interior" && (role == "inter-router" || role == "edge" && listens):
		return faultf(statusBadRequest, "role='%s' only allowed with router mode='interior'.", role)
	}
	return nil
}
