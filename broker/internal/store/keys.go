package store

import "encoding/binary"

// The first byte of a key says what it is; see the package comment for the rest.
const (
	storeSpace     = 's'
	catalogueSpace = 'c'
	queueSpace     = 'q'
	retainedSpace  = 'r'
	historySpace   = 'h'
	clientSpace    = 'd'
	identitySpace  = 'i'
	bodySpace      = 'b'
)

var (
	schemaKey = []byte{storeSpace, 's'}
	nextIDKey = []byte{storeSpace, 'n'}
	cleanKey  = []byte{storeSpace, 'c'}
	importKey = []byte{storeSpace, 'i'}
	birthKey  = []byte{storeSpace, 'b'}

	positionKey = []byte{storeSpace, 'p'} // before the first group since it was opened
)

const (
	metaKeyLen    = 1 + 8
	messageKeyLen = 1 + 8 + 8
)

// metaKey is also the lower bound of everything about a queue.
func metaKey(dst []byte, id QueueID) []byte {
	return binary.BigEndian.AppendUint64(append(dst, queueSpace), uint64(id))
}

func messageKey(dst []byte, id QueueID, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(metaKey(dst, id), seq)
}

// bodiesKey is the key that says that a queue has, or had, bodies of their own, and the lower bound of them all.
func bodiesKey(dst []byte, id QueueID) []byte {
	return binary.BigEndian.AppendUint64(append(dst, bodySpace), uint64(id))
}

func bodyKey(dst []byte, id QueueID, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(bodiesKey(dst, id), seq)
}

// splitQueueKey reverses metaKey (seq is 0) and messageKey.
func splitQueueKey(key []byte) (id QueueID, seq uint64, ok bool) {
	return splitNumbers(queueSpace, key)
}

// splitBodyKey reverses bodiesKey (seq is 0) and bodyKey.
func splitBodyKey(key []byte) (id QueueID, seq uint64, ok bool) { return splitNumbers(bodySpace, key) }

func splitNumbers(space byte, key []byte) (id QueueID, seq uint64, ok bool) {
	if len(key) != metaKeyLen && len(key) != messageKeyLen || key[0] != space {
		return 0, 0, false
	}
	id = QueueID(binary.BigEndian.Uint64(key[1:]))
	if len(key) == messageKeyLen {
		seq = binary.BigEndian.Uint64(key[metaKeyLen:])
	}
	return id, seq, true
}

func historyKey(id QueueID, seq uint64) []byte  { return besideKey(historySpace, id, seq) }
func identityKey(id QueueID, seq uint64) []byte { return besideKey(identitySpace, id, seq) }

// besideKey is the key of what is kept beside a message.
func besideKey(space byte, id QueueID, seq uint64) []byte {
	key := binary.BigEndian.AppendUint64([]byte{space}, uint64(id))
	return binary.BigEndian.AppendUint64(key, seq)
}

// splitBesideKey reverses besideKey.
func splitBesideKey(key []byte) (id QueueID, seq uint64, ok bool) {
	if len(key) != messageKeyLen {
		return 0, 0, false
	}
	return QueueID(binary.BigEndian.Uint64(key[1:])), binary.BigEndian.Uint64(key[metaKeyLen:]), true
}

func catalogueKey(n Name) []byte {
	return append(tenantPrefix([]byte{catalogueSpace, byte(n.Kind)}, n.Tenant), n.Name...)
}

func retainedKey(tenant, topic string) []byte {
	return append(tenantPrefix([]byte{retainedSpace}, tenant), topic...)
}

// clientKey is the key of a record of a client; with an empty name, also the beginning of all its keys.
func clientKey(tenant, client, name string) []byte {
	return append(tenantPrefix(tenantPrefix([]byte{clientSpace}, tenant), client), name...)
}

// tenantPrefix adds a tenant, or another name, such that no tenant's prefix is the beginning of another's.
func tenantPrefix(dst []byte, tenant string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(tenant))), tenant...)
}

// splitTenant reverses tenantPrefix and gives what follows.
func splitTenant(key []byte) (tenant, rest string, ok bool) {
	n, used := binary.Uvarint(key)
	if used <= 0 || n > uint64(len(key)-used) {
		return "", "", false
	}
	key = key[used:]
	return string(key[:n]), string(key[n:]), true
}

// after is the smallest key above all that begin with prefix. No prefix here is all 0xff.
func after(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; ; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
}
