package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// Stream is what calls are to be made, and how often. It is open loop: each call sets out when it
// is due, however long those before it take, and is timed from when it was due.
type Stream struct {
	Name     string   `json:"name"`     // request ids are NAME-NUMBER
	Rate     float64  `json:"rate"`     // calls a second, of all kinds together
	Patience float64  `json:"patience"` // seconds that a call may take
	Longest  float64  `json:"longest"`  // seconds after which it ends by itself
	Kinds    []string `json:"kinds"`    // taken in turn: http-kept, http-fresh, tcp-kept, tcp-fresh
	URL      string   `json:"url"`      // of HTTP calls
	Address  string   `json:"address"`  // host:port of TCP calls
}

// Streamed is one call of a stream, as it is printed.
type Streamed struct {
	Stream   string   `json:"stream"`
	Number   int      `json:"n"`
	Kind     string   `json:"kind"`
	At       float64  `json:"at"`      // when it was due, in seconds since the epoch
	Late     float64  `json:"late"`    // by how much it set out later
	Seconds  float64  `json:"seconds"` // from when it was due to its end
	Status   int      `json:"status,omitempty"`
	Version  string   `json:"version,omitempty"`
	Instance string   `json:"instance,omitempty"`
	Source   string   `json:"source,omitempty"`
	Failure  *Failure `json:"failure,omitempty"`
	Unmade   bool     `json:"unmade,omitempty"` // too many were under way already
}

// StreamEnd is the last line of a stream that has ended in good order.
type StreamEnd struct {
	Stream string `json:"stream"`
	Ended  bool   `json:"ended"`
	Calls  int    `json:"calls"`
}

// So many calls may be under way at once: at 200 a second each may take ten seconds.
const mostUnderWay = 2000

func (plan *Stream) check() error {
	if plan.Name == "" || plan.Rate <= 0 || plan.Patience <= 0 || plan.Longest <= 0 {
		return fmt.Errorf("a stream needs a name, a rate, patience and an end")
	}
	for _, kind := range plan.Kinds {
		if streamKinds[kind] == nil {
			return fmt.Errorf("there are no calls of kind %q", kind)
		}
	}
	if len(plan.Kinds) == 0 {
		return fmt.Errorf("a stream needs kinds of calls")
	}
	return nil
}

// stream makes the calls of the stream that it reads until it is told to end.
func stream(in io.Reader, out io.Writer) error {
	var plan Stream
	if err := json.NewDecoder(in).Decode(&plan); err != nil {
		return fmt.Errorf("this is no stream: %w", err)
	}
	if err := plan.check(); err != nil {
		return err
	}
	told, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	told, cancel := context.WithTimeout(told, seconds(plan.Longest))
	defer cancel()
	return plan.flow(told, out)
}

// flow makes calls until it is told to end, waits for those under way, and prints each.
func (plan *Stream) flow(told context.Context, out io.Writer) error {
	made := make(chan *Streamed, mostUnderWay)
	var underWay sync.WaitGroup
	count := 0
	go func() {
		defer close(made)
		count = plan.makeCalls(told, made, &underWay)
		underWay.Wait()
	}()
	encoder, failed := json.NewEncoder(out), error(nil)
	for one := range made {
		if err := encoder.Encode(one); err != nil && failed == nil {
			failed = err
		}
	}
	if failed != nil {
		return failed
	}
	return encoder.Encode(StreamEnd{plan.Name, true, count})
}

func (plan *Stream) makeCalls(
	told context.Context, made chan<- *Streamed, underWay *sync.WaitGroup,
) int {
	calls := newStreamCaller(plan)
	slots := make(chan struct{}, mostUnderWay)
	begin, timer := time.Now(), time.NewTimer(0)
	for number := 0; ; number++ {
		due := begin.Add(seconds(float64(number) / plan.Rate))
		timer.Reset(time.Until(due))
		select {
		case <-told.Done():
			return number
		case <-timer.C:
		}
		one := &Streamed{Stream: plan.Name, Number: number, At: rounded(epoch(due))}
		one.Kind = plan.Kinds[number%len(plan.Kinds)]
		underWay.Add(1)
		select {
		case slots <- struct{}{}:
			go func() {
				defer underWay.Done()
				defer func() { <-slots }()
				one.Late = rounded(time.Since(due).Seconds())
				streamKinds[one.Kind](calls, one)
				one.Seconds = rounded(time.Since(due).Seconds())
				made <- one
			}()
		default:
			one.Unmade = true
			made <- one
			underWay.Done()
		}
	}
}

func seconds(count float64) time.Duration {
	return time.Duration(count * float64(time.Second))
}

func epoch(moment time.Time) float64 {
	return float64(moment.UnixNano()) / 1e9
}

// rounded to microseconds: more digits say nothing.
func rounded(count float64) float64 {
	return math.Round(count*1e6) / 1e6
}
