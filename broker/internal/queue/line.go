package queue

// line is the entries of one priority, in the order of their numbers.
type line struct {
	entries
	priority uint8
	shared   cursor // of all consumers that take every message
	lease    lease
}

// line gives the line of a priority, which begins with its first message.
func (q *Queue) line(priority uint8) *line {
	for _, l := range q.lines {
		if l.priority == priority {
			return l
		}
	}
	return q.addLine(priority)
}

// addLine puts a new line where it belongs: the highest priority is first.
func (q *Queue) addLine(priority uint8) *line {
	added := &line{priority: priority}
	i := 0
	for i < len(q.lines) && q.lines[i].priority > priority {
		i++
	}
	lines := make([]*line, 0, len(q.lines)+1)
	lines = append(append(append(lines, q.lines[:i]...), added), q.lines[i:]...)
	q.lines = lines
	return added
}

// locate finds a live entry and its line, or gives nil.
func (q *Queue) locate(seq Seq) (*line, *entry) {
	for _, l := range q.lines {
		if e := l.find(seq); e != nil {
			return l, e
		}
	}
	return nil, nil
}
