package broker

import "time"

// StoreStatistics is what there is to say about the store. The first block is counted since Open.
type StoreStatistics struct {
	Syncs    uint64        // fsyncs, each of which makes safe all that came while the disk was busy
	Records  uint64        // changes written
	Bytes    uint64        // their bytes
	Syncing  time.Duration // what the fsyncs took together, each with the write before it
	SetAside int64         // how often something on disk could not be trusted; the log says what

	PendingRecords int // changes that wait for the disk
	PendingBytes   int
	DiskBytes      uint64 // of the store's files
	FreeBytes      uint64 // on the disk, as of a second ago; 0 if the filesystem cannot say
	Refuses        bool   // no new messages are taken, for want of space or because too much waits for the disk
}

// StoreStatistics describes the store.
func (b *Broker) StoreStatistics() StoreStatistics {
	s := b.store.Stats()
	return StoreStatistics{
		Syncs: s.Syncs, Records: s.Records, Bytes: s.Bytes, Syncing: s.Syncing, SetAside: b.SetAside(),
		PendingRecords: s.PendingRecords, PendingBytes: s.PendingBytes,
		DiskBytes: s.DiskBytes, FreeBytes: s.FreeBytes, Refuses: b.store.Admit() != nil,
	}
}
