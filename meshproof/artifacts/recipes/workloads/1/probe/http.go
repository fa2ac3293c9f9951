package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
)

// caller makes calls: those that are to be fresh with a connection each, others share.
type caller struct {
	sharing, fresh *http.Transport
	channels       map[string]*channel
}

type dialled struct{}

func newCaller() *caller {
	dialer := &net.Dialer{}
	sharing := &http.Transport{
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			if instead, is := ctx.Value(dialled{}).(string); is {
				address = instead
			}
			connection, err := dialer.DialContext(ctx, "tcp4", address)
			if err != nil {
				return nil, &notConnected{err}
			}
			return connection, nil
		},
		TLSClientConfig:    &tls.Config{InsecureSkipVerify: true},
		DisableCompression: true,
		// By default all but two are closed, and many calls at once would not find theirs again.
		MaxIdleConnsPerHost: mostUnderWay,
	}
	fresh := sharing.Clone()
	fresh.DisableKeepAlives = true
	return &caller{sharing, fresh, map[string]*channel{}}
}

// notConnected marks what went wrong before there was a connection.
type notConnected struct{ error }

func (failed *notConnected) Unwrap() error { return failed.error }

// call is one call, which follows no redirections. It has failed also where an answer began and
// broke off.
func (calls *caller) call(question *Question) (*Answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), question.patience())
	defer cancel()
	if question.Address != "" {
		ctx = context.WithValue(ctx, dialled{}, question.Address)
	}
	answer, connected := &Answer{}, false
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(got httptrace.GotConnInfo) {
			connected, answer.Source = true, got.Conn.LocalAddr().String()
		},
	})
	request, err := http.NewRequestWithContext(ctx, question.Method, question.URL, nil)
	if err != nil {
		return nil, fmt.Errorf("this cannot be called: %w", err)
	}
	for name, value := range question.Headers {
		if http.CanonicalHeaderKey(name) == "Host" {
			request.Host = value
		}
		request.Header.Set(name, value)
	}
	transport := calls.sharing
	if question.Fresh {
		transport = calls.fresh
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		answer.Failure = ofCall(err, connected)
		return answer, nil
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	answer.Status, answer.Body = response.StatusCode, string(body)
	if err != nil {
		answer.Failure = ofCall(err, true)
	}
	return answer, nil
}

// ofCall classifies what ended a call.
func ofCall(err error, connected bool) *Failure {
	var before *notConnected
	switch {
	case errors.As(err, &before):
		return beforeConnecting(before.error)
	case connected:
		return afterConnecting(err)
	case isTimeout(err), errors.Is(err, context.DeadlineExceeded):
		return &Failure{Kind: silence, Said: err.Error()}
	}
	return inHandshake(err) // with TLS: a connection counts from when hands are shaken
}
