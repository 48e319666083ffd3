//go:build !unix

package load

// raiseDescriptors has nothing to do where sockets are not counted as files.
func raiseDescriptors(int) error { return nil }
