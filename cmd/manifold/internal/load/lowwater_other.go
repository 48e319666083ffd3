//go:build !linux

package load

import "net"

// setLowWater does nothing where the kernel does not hold readers back reliably.
func setLowWater(net.Conn, int) {}
