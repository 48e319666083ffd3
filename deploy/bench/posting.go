package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// posting is a load of POST requests over HTTP/2, for which the driver is h2load of nghttp2.
type posting struct {
	connections int
	secure      bool // with TLS
}

// posted is what h2load says of a run.
type posted struct {
	elapsed          time.Duration
	requests, passed uint64 // passed have a status of 200 to 299
}

// post drives one server: for the warm-up first, and then with as many requests as take the measured time.
func (b *bench) post(ctx context.Context, sc scenario, p *process) (got sample, err error) {
	body := filepath.Join(b.dir, "body")
	if err := os.WriteFile(body, bytes.Repeat([]byte("x"), sc.size), 0o600); err != nil {
		return got, err
	}
	warm, _, err := h2load(ctx, sc, p, body, "-D", seconds(max(b.warmUp(sc), time.Second)))
	if err != nil {
		return got, err
	}
	n := max(warm.rate()*b.options.duration.Seconds(), postingStreams)
	before, err := p.cpu()
	if err != nil {
		return got, err
	}
	run, driver, err := h2load(ctx, sc, p, body, "-n", strconv.Itoa(int(n)))
	if err != nil {
		return got, err
	}
	after, err := p.cpu()
	return sample{Elapsed: run.elapsed, Acknowledged: run.passed, Refused: run.requests - run.passed,
		ServerCPU: after - before, DriverCPU: driver}, err
}

func (p posted) rate() float64 { return float64(p.requests) / max(p.elapsed, 1).Seconds() }

func seconds(d time.Duration) string { return strconv.Itoa(int(d.Round(time.Second) / time.Second)) }

// h2load posts to the place of a scenario, for as long or as often as the last arguments say.
func h2load(ctx context.Context, sc scenario, p *process, body string, often ...string) (posted, time.Duration, error) {
	door, scheme := web, "http"
	if sc.posting.secure {
		door, scheme = webSecure, "https"
	}
	args := append([]string{"-t", "1", "-c", strconv.Itoa(sc.posting.connections), "-m", strconv.Itoa(postingStreams),
		"-d", body, "-H", "content-type: application/octet-stream"}, often...)
	driver := exec.CommandContext(ctx, "h2load", append(args, scheme+"://"+p.doors[door]+"/v1/default/"+sc.place+"/messages")...)
	driver.WaitDelay = time.Second
	dieWithParent(driver)
	out, err := driver.CombinedOutput()
	if err != nil {
		return posted{}, 0, fmt.Errorf("h2load: %w: %s", err, bytes.TrimSpace(out))
	}
	got, err := readPosted(out)
	return got, driver.ProcessState.UserTime() + driver.ProcessState.SystemTime(), err
}

var (
	postedElapsed  = regexp.MustCompile(`finished in ([0-9.]+)(s|ms|us)`)
	postedRequests = regexp.MustCompile(`requests: ([0-9]+) total`)
	postedPassed   = regexp.MustCompile(`status codes: ([0-9]+) 2xx`)
)

// readPosted reads the report of h2load.
func readPosted(report []byte) (got posted, err error) {
	elapsed := postedElapsed.FindSubmatch(report)
	requests, passed := postedRequests.FindSubmatch(report), postedPassed.FindSubmatch(report)
	if elapsed == nil || requests == nil || passed == nil {
		return got, fmt.Errorf("h2load: not a report: %.200q", report)
	}
	var errs [3]error
	got.elapsed, errs[0] = time.ParseDuration(string(elapsed[1]) + string(elapsed[2]))
	got.requests, errs[1] = strconv.ParseUint(string(requests[1]), 10, 64)
	got.passed, errs[2] = strconv.ParseUint(string(passed[1]), 10, 64)
	return got, errors.Join(errs[:]...)
}
