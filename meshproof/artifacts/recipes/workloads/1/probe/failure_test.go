package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
)

func operation(what string, err error) error {
	return &net.OpError{Op: what, Net: "udp4", Err: os.NewSyscallError(what, err)}
}

func TestFailuresAreToldByTheirTypes(t *testing.T) {
	for _, one := range []struct {
		err    error
		before string
		after  string
	}{
		{operation("dial", syscall.ECONNREFUSED), refused, other},
		{operation("dial", syscall.EHOSTUNREACH), noRoute, noRoute},
		{operation("dial", syscall.ENETUNREACH), noRoute, noRoute},
		{operation("write", syscall.EPERM), noRoute, noRoute}, // kube-proxy's rule is not there yet
		{operation("read", syscall.ECONNRESET), refused, broken},
		{operation("read", os.ErrDeadlineExceeded), silence, unanswered},
		{operation("dial", syscall.ETIMEDOUT), silence, unanswered},
		{context.DeadlineExceeded, silence, unanswered},
		{&net.DNSError{IsNotFound: true}, name, other},
		{&net.DNSError{IsTimeout: true}, name, unanswered},
		{fmt.Errorf("reading: %w", io.ErrUnexpectedEOF), other, broken},
		{&tls.RecordHeaderError{}, other, other},
	} {
		if found := beforeConnecting(one.err).Kind; found != one.before {
			t.Errorf("before connecting, %v is %s", one.err, found)
		}
		if found := afterConnecting(one.err).Kind; found != one.after {
			t.Errorf("after connecting, %v is %s", one.err, found)
		}
	}
}

// The number of an alert is in a type that crypto/tls keeps to itself.
func TestAnAlertIsToldByItsNumber(t *testing.T) {
	here, there := net.Pipe()
	go func() {
		server := tls.Server(there, &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return nil, fmt.Errorf("nobody is let in")
		}})
		server.Handshake()
	}()
	err := tls.Client(here, &tls.Config{InsecureSkipVerify: true}).Handshake()
	if failure := inHandshake(err); failure.Kind != inTLS || failure.Alert != 80 {
		t.Errorf("%v is %+v, and no internal error (80)", err, failure)
	}
}

func TestWhatSpeaksNoTLSIsNoOtherFailure(t *testing.T) {
	here, there := net.Pipe()
	go func() {
		there.Read(make([]byte, longest))
		io.WriteString(there, "HTTP/1.1 400 Bad Request\r\n\r\n")
	}()
	err := tls.Client(here, &tls.Config{InsecureSkipVerify: true}).Handshake()
	if failure := inHandshake(err); failure.Kind != inTLS || failure.Alert != 0 {
		t.Errorf("%v is %+v", err, failure)
	}
}
