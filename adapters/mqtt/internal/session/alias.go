package session

import "bytes"

// Topic aliases (sections 3.3.2.3.4 and 3.1.2.11.5): those of the client's publishes, and those of publications to it.

// resolve sets or looks up an alias of the client, before anybody judges the topic.
func (s *Session) resolve(topic []byte, alias uint16) ([]byte, error) {
	if alias == 0 || int(alias) > s.limits.TopicAliasMaximum { // [MQTT-3.3.2-8] [MQTT-3.3.2-9]
		return nil, violation(TopicAliasInvalid, "alias 0 or above the maximum")
	}
	if len(topic) == 0 {
		if int(alias) > len(s.aliases) || s.aliases[alias-1] == nil {
			return nil, violation(ProtocolError, "topic alias that was never set")
		}
		return s.aliases[alias-1], nil
	}
	if err := s.topicName(topic); err != nil {
		return nil, err
	}
	for len(s.aliases) < int(alias) {
		s.aliases = append(s.aliases, nil)
	}
	if !bytes.Equal(s.aliases[alias-1], topic) {
		s.aliases[alias-1] = bytes.Clone(topic)
	}
	return topic, nil
}

// alias finds the alias that stands for a topic on its way to the client, or gives it a new one as long as there are any;
// 0 is none. known tells that the client knows what the alias stands for.
func (s *Session) alias(topic string) (alias uint16, known bool) {
	if s.aliasMaximum == 0 {
		return 0, false
	}
	if alias, known = s.sentAliases[topic]; known {
		return alias, true
	}
	if len(s.sentAliases) >= int(s.aliasMaximum) {
		return 0, false
	}
	if s.sentAliases == nil {
		s.sentAliases = make(map[string]uint16)
	}
	alias = uint16(len(s.sentAliases) + 1)
	s.sentAliases[topic] = alias
	return alias, false
}

// abbreviate gives a publication an alias in the place of its topic, where that makes it shorter in the end. The first time
// the topic stands beside its alias, unless the packet would become too large by that.
func (s *Session) abbreviate(o *outgoing) {
	const aliasSize = 3
	if s.aliasMaximum == 0 || len(o.Topic) <= aliasSize || s.clientMaximum > 0 && o.size()+2*aliasSize > int(s.clientMaximum) {
		return
	}
	alias, known := s.alias(o.Topic)
	if alias == 0 {
		return
	}
	o.alias = alias
	if known {
		o.Topic = ""
	}
	o.measure(s.level)
}
