package mqtt

import "github.com/manifoldmq/manifold/adapters/mqtt/internal/session"

// elsewhere is what a client is told that this server cannot serve now, or soon not any more: where to go instead if that
// is set (section 4.11), else the code.
func (s *Server) elsewhere(code session.Reason) session.Notice {
	l := &s.config.Limits
	switch {
	case l.ServerReference == "":
		return session.Notice{Code: code}
	case l.ServerMoved:
		return session.Notice{Code: session.ServerMoved, Text: code.String(), Server: l.ServerReference}
	default:
		return session.Notice{Code: session.UseAnotherServer, Text: code.String(), Server: l.ServerReference}
	}
}
