package load

import (
	"net"
	"syscall"
)

// setLowWater asks the kernel to report conn as readable only from n bytes on. It is a saving, not a promise:
// a socket that refuses is read as it is.
func setLowWater(conn net.Conn, n int) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVLOWAT, n)
	})
}
