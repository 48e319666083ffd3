package addressing

import (
	"errors"
	"fmt"
)

// Definition declares the addresses that a literal name or a pattern covers.
type Definition struct {
	Name           Filter
	Kind           Kind
	Distribution   Distribution  // anycast only
	Egress         uint8         // anycast only: the phase that consumers take from; above 0 what is sent, at phase 0, has to get there
	Fallback       bool          // anycast only: what nobody wants goes to those who receive at the phase Fallback
	Priority       Priority      // on the links between routers
	Unavailable    bool          // nobody can use it: links are refused as if there were no definition
	MaxMessageSize int64         // bytes; 0 leaves it to the room that takes the messages in
	Home           Home          // queue and topic only
	Keeper         string        // where Home is Elsewhere, the id of the router that stores it
	Queue          QueueSettings // a queue, and each durable subscription of a topic
}

// Validate returns an error that names the first setting that is wrong or does not fit the kind.
func (d *Definition) Validate() error {
	if d.Name.IsZero() {
		return errors.New("address without a name")
	}
	if err := d.validateSettings(); err != nil {
		return fmt.Errorf("address %.200q: %w", d.Name.String(), err)
	}
	return nil
}

func (d *Definition) validateSettings() error {
	stored := d.Kind == Queue || d.Kind == Topic
	switch {
	case d.Kind == AnyKind:
		return errors.New("kind is missing; one of anycast, broadcast, queue, topic")
	case d.Kind > Topic:
		return fmt.Errorf("kind %v does not exist", d.Kind)
	case d.Distribution > Closest:
		return fmt.Errorf("distribution %v does not exist", d.Distribution)
	case d.Distribution != Balanced && d.Kind != Anycast:
		return fmt.Errorf("distribution %v does not fit kind %v, only anycast", d.Distribution, d.Kind)
	case d.Egress != 0 && d.Kind != Anycast:
		return fmt.Errorf("an address that leads through others does not fit kind %v, only anycast", d.Kind)
	case d.Fallback && d.Kind != Anycast:
		return fmt.Errorf("fallback does not fit kind %v, only anycast", d.Kind)
	case d.Priority > HighestPriority:
		return fmt.Errorf("priority %d does not exist", d.Priority)
	case d.Home > Elsewhere:
		return fmt.Errorf("home %d does not exist", d.Home)
	case d.Home != Alone && !stored:
		return fmt.Errorf("home does not fit kind %v, only queue and topic", d.Kind)
	case d.MaxMessageSize < 0:
		return fmt.Errorf("maxMessageSize %d is negative", d.MaxMessageSize)
	case d.Queue != QueueSettings{} && !stored:
		return fmt.Errorf("%s does not fit kind %v, only queue and topic", d.Queue.firstSet(), d.Kind)
	case d.Queue.ConsumeOnly && d.Kind != Queue:
		return fmt.Errorf("consumeOnly does not fit kind %v, only queue", d.Kind)
	}
	return d.Queue.validate()
}
