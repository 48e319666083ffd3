//go:build interop

package soak

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// drain waits until nothing is stored any more, as the metrics have it. It gives up when nothing is consumed for long.
func (s *soak) drain(admin string) {
	clock := time.NewTicker(pace)
	defer clock.Stop()
	least, since := -1, time.Now()
	for now := range clock.C {
		left, places, err := stored(admin)
		if err != nil {
			s.t.Error(err)
			return
		}
		if left == 0 {
			return
		}
		if least < 0 || left < least {
			least, since = left, now
		}
		if now.Sub(since) > patience {
			s.t.Errorf("%d messages are stored and nobody gets them:\n%s", left, strings.Join(places, "\n"))
			return
		}
	}
}

// stored counts the messages of all queues and subscriptions, and gives the lines that tell of some.
func stored(admin string) (total int, places []string, err error) {
	answer, err := http.Get("http://" + admin + "/metrics")
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		line := lines.Text()
		if !strings.HasPrefix(line, "manifold_queue_messages{") {
			continue
		}
		var n float64
		if _, err := fmt.Sscan(line[strings.LastIndexByte(line, ' '):], &n); err != nil {
			return 0, nil, fmt.Errorf("%s: %w", line, err)
		}
		if n > 0 {
			total, places = total+int(n), append(places, line)
		}
	}
	return total, places, nil
}
