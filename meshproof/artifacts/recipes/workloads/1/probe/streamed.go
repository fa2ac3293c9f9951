package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"regexp"
	"sync"
	"time"
)

// streamKinds make one call each, and note what came of it.
var streamKinds = map[string]func(*streamCaller, *Streamed){
	"http-kept":  func(calls *streamCaller, one *Streamed) { calls.http(one, false) },
	"http-fresh": func(calls *streamCaller, one *Streamed) { calls.http(one, true) },
	"tcp-kept":   (*streamCaller).tcpKept,
	"tcp-fresh":  (*streamCaller).tcpFresh,
}

// What helloworld says of itself, by HTTP and by TCP.
var (
	helloHTTP = regexp.MustCompile(`^Hello version: (\S+), instance: (\S+)`)
	helloTCP  = regexp.MustCompile(`^hello (\S+) (\S+)`)
)

// streamCaller is what the calls of a stream share: the connections that are kept.
type streamCaller struct {
	plan  *Stream
	http1 *caller
	lock  sync.Mutex
	idle  []*greeted
}

// greeted is a connection to helloworld, which greets once by itself and then for each line.
type greeted struct {
	net.Conn
	lines *bufio.Reader
}

func newStreamCaller(plan *Stream) *streamCaller {
	return &streamCaller{plan: plan, http1: newCaller()}
}

func (calls *streamCaller) http(one *Streamed, fresh bool) {
	answer, err := calls.http1.call(&Question{
		URL:      calls.plan.URL,
		Patience: calls.plan.Patience,
		Headers:  map[string]string{"x-request-id": fmt.Sprintf("%s-%d", one.Stream, one.Number)},
		Fresh:    fresh,
	})
	if err != nil {
		one.Failure = &Failure{Kind: other, Said: err.Error()}
		return
	}
	one.Status, one.Source, one.Failure = answer.Status, answer.Source, answer.Failure
	if hello := helloHTTP.FindStringSubmatch(answer.Body); hello != nil {
		one.Version, one.Instance = hello[1], hello[2]
	}
}

// tcpFresh connects, is greeted, and hangs up.
func (calls *streamCaller) tcpFresh(one *Streamed) {
	if connection := calls.connected(one); connection != nil {
		connection.Close()
	}
}

// tcpKept says a line over a connection that is open since an earlier call, if one is idle.
func (calls *streamCaller) tcpKept(one *Streamed) {
	connection := calls.taken()
	if connection == nil {
		connection = calls.connected(one)
	} else {
		one.Source = connection.LocalAddr().String()
		connection.SetDeadline(time.Now().Add(seconds(calls.plan.Patience)))
		if _, err := fmt.Fprintln(connection, "again"); err != nil {
			one.Failure = afterConnecting(err)
		} else {
			connection.hear(one)
		}
	}
	if connection == nil {
		return
	}
	if one.Failure != nil {
		connection.Close()
		return
	}
	calls.lock.Lock()
	calls.idle = append(calls.idle, connection)
	calls.lock.Unlock()
}

// taken is the connection that has been idle for the longest time: so all of them are used.
func (calls *streamCaller) taken() *greeted {
	calls.lock.Lock()
	defer calls.lock.Unlock()
	if len(calls.idle) == 0 {
		return nil
	}
	first := calls.idle[0]
	calls.idle = calls.idle[1:]
	return first
}

// connected is a new connection that has greeted; nil, and why, where there is none.
func (calls *streamCaller) connected(one *Streamed) *greeted {
	within, cancel := context.WithTimeout(context.Background(), seconds(calls.plan.Patience))
	defer cancel()
	plain, err := (&net.Dialer{}).DialContext(within, "tcp4", calls.plan.Address)
	if err != nil {
		one.Failure = beforeConnecting(err)
		return nil
	}
	connection := &greeted{plain, bufio.NewReader(plain)}
	one.Source = plain.LocalAddr().String()
	deadline, _ := within.Deadline()
	plain.SetDeadline(deadline)
	if connection.hear(one); one.Failure != nil {
		plain.Close()
		return nil
	}
	return connection
}

// hear reads a greeting.
func (connection *greeted) hear(one *Streamed) {
	line, err := connection.lines.ReadString('\n')
	if err != nil {
		one.Failure = afterConnecting(err)
		return
	}
	if hello := helloTCP.FindStringSubmatch(line); hello != nil {
		one.Version, one.Instance = hello[1], hello[2]
	}
}
