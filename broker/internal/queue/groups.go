package queue

// bucket is one of the places that message groups fall into; 0 is of messages without a group. Groups that fall into
// the same one go to the same consumer, so that the table of owners is bounded however many groups there are.
type bucket uint8

// owners gives the consumer of each bucket, or nil.
type owners [256]*consumer

// bucketOf spreads groups by FNV-1a.
func bucketOf(group string) bucket {
	if group == "" {
		return 0
	}
	h := uint32(2166136261)
	for i := range len(group) {
		h = (h ^ uint32(group[i])) * 16777619
	}
	return bucket(1 + h%255)
}

// own makes a consumer the owner of the groups in a bucket.
func (q *Queue) own(c *consumer, b bucket) {
	if b == 0 || !q.settings.Groups {
		return
	}
	if q.owners == nil {
		q.owners = new(owners)
	}
	q.owners[b] = c
}

// isOthers tells whether an entry belongs to the group of another consumer.
func (q *Queue) isOthers(c *consumer, e entry) bool {
	return e.bucket > 0 && q.owners != nil && q.owners[e.bucket] != nil && q.owners[e.bucket] != c
}

// disown frees the groups of a consumer that leaves. The others look from the start at what they passed over for it.
func (q *Queue) disown(c *consumer) {
	if q.owners == nil {
		return
	}
	freed := false
	for b := range q.owners {
		if q.owners[b] == c {
			q.owners[b] = nil
			freed = true
		}
	}
	for _, o := range q.alone {
		if freed && !q.browses(o) {
			*o.own = view{}
		}
	}
}
