package main

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"reflect"
	"syscall"
)

// Failure is how an answer did not come. Said is for people alone; Alert is TLS's number for it.
type Failure struct {
	Kind  string `json:"kind"`
	Said  string `json:"said"`
	Alert int    `json:"alert,omitempty"`
}

// The kinds of failures. What comes after connecting differs from what comes before.
const (
	refused    = "refused"    // somebody there said that nobody listens
	noRoute    = "no-route"   // a router or the own kernel said that there is no way
	silence    = "silence"    // nothing came back in time
	unanswered = "unanswered" // connected, and no answer
	broken     = "broken"     // connected, and reset or closed before the answer was complete
	name       = "name"       // the name does not resolve
	inTLS      = "tls"        // the handshake failed, or an alert came
	inGRPC     = "grpc"       // the answer was another status of gRPC than OK
	other      = "other"
)

// EPERM and EACCES: the own kernel's rules, or its routes, let nothing out.
var noWay = []error{
	syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.ENETDOWN, syscall.EHOSTDOWN, syscall.EPERM,
	syscall.EACCES,
}

var ended = []error{
	io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED,
	net.ErrClosed,
}

// beforeConnecting classifies what kept a connection from coming about, or a datagram from being
// sent or answered.
func beforeConnecting(err error) *Failure {
	var unresolved *net.DNSError
	switch {
	case isTimeout(err) && !errors.As(err, &unresolved):
		return &Failure{Kind: silence, Said: err.Error()}
	case errors.Is(err, context.DeadlineExceeded):
		return &Failure{Kind: silence, Said: err.Error()}
	case errors.As(err, &unresolved):
		return &Failure{Kind: name, Said: err.Error()}
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET):
		return &Failure{Kind: refused, Said: err.Error()}
	case isOneOf(err, noWay):
		return &Failure{Kind: noRoute, Said: err.Error()}
	case errors.Is(err, syscall.ETIMEDOUT):
		return &Failure{Kind: silence, Said: err.Error()}
	}
	return &Failure{Kind: other, Said: err.Error()}
}

// afterConnecting classifies what kept an answer from coming once somebody was there.
func afterConnecting(err error) *Failure {
	switch alert, is := alertIn(err); {
	case is:
		return &Failure{Kind: inTLS, Said: err.Error(), Alert: alert}
	case isTimeout(err), errors.Is(err, syscall.ETIMEDOUT):
		return &Failure{Kind: unanswered, Said: err.Error()}
	case isOneOf(err, ended):
		return &Failure{Kind: broken, Said: err.Error()}
	case isOneOf(err, noWay):
		return &Failure{Kind: noRoute, Said: err.Error()}
	}
	return &Failure{Kind: other, Said: err.Error()}
}

// alertIn is the number of the alert (RFC 8446, 6) that the other side sent. crypto/tls keeps the
// type to itself, which is a number of one byte.
func alertIn(err error) (int, bool) {
	var remote *net.OpError
	if !errors.As(err, &remote) || remote.Op != "remote error" {
		return 0, false
	}
	number := reflect.ValueOf(remote.Err)
	if number.Kind() != reflect.Uint8 {
		return 0, false
	}
	return int(number.Uint()), true
}

func isTimeout(err error) bool {
	var late net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &late) && late.Timeout()
}

func isOneOf(err error, others []error) bool {
	for _, one := range others {
		if errors.Is(err, one) {
			return true
		}
	}
	return false
}
