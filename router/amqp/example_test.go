package amqp_test

import (
	"fmt"

	"github.com/manifoldmq/manifold/router/amqp"
)

// A message is built section by section in one buffer, and read without being decoded as a whole.
func ExampleParseMessage() {
	properties := amqp.Properties{MessageID: uint64(7), To: "sensors/7", ContentType: "text/plain"}
	encoded := amqp.Header{Durable: true, Priority: amqp.DefaultPriority}.Append(nil)
	encoded = properties.Append(encoded)
	application := amqp.BeginApplicationProperties(encoded)
	application.String("site", "north")
	application.Int("firmware", 42)
	encoded = amqp.AppendData(application.End(), []byte("21.5"))

	m, err := amqp.ParseMessage(encoded)
	if err != nil {
		fmt.Println(err)
		return
	}
	to, _ := m.Property(amqp.PropertyTo).Text()
	payload, _, _ := m.Body().Payload()
	fmt.Printf("%s to %s\n", payload, to)
	for key, value := range m.ApplicationProperties() {
		fmt.Println(key, value)
	}
	// Output:
	// 21.5 to sensors/7
	// site north
	// firmware 42
}

// Fields are read in order; one that is null or was left out keeps its default.
func ExampleDecoder_ReadList() {
	fields := amqp.BeginList(amqp.AppendDescriptor(nil, amqp.DescriptorOpen))
	fields.String("container")
	fields.Null()
	fields.Uint(65536)
	encoded := fields.End()

	d := amqp.NewDecoder(encoded)
	if d.ReadDescriptor() != amqp.DescriptorOpen {
		fmt.Println("no open")
		return
	}
	container, host, size, channels := "", "localhost", uint32(1<<32-1), uint16(65535)
	open := d.ReadList()
	if open.Next() {
		container = d.ReadString()
	}
	if open.Next() {
		host = d.ReadString()
	}
	if open.Next() {
		size = d.ReadUint()
	}
	if open.Next() {
		channels = d.ReadUshort()
	}
	open.End()
	fmt.Println(container, host, size, channels, d.Err())
	// Output:
	// container localhost 65536 65535 <nil>
}
