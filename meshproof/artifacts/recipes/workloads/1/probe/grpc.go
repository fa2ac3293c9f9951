package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// channel is a connection for calls of gRPC, and what kept it from coming about last.
type channel struct {
	*grpc.ClientConn
	source, failed atomic.Value
}

// dial makes a channel to an address, of one connection: names are asked for by the system, and
// nobody but a proxy on the way balances.
func dial(address string) (*channel, error) {
	made := &channel{}
	connection, err := grpc.NewClient(
		"passthrough:///"+address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDisableServiceConfig(),
		grpc.WithDisableRetry(),
		grpc.WithContextDialer(func(ctx context.Context, to string) (net.Conn, error) {
			connected, err := (&net.Dialer{}).DialContext(ctx, "tcp4", to)
			if err != nil {
				made.failed.Store(&notConnected{err})
				return nil, err
			}
			made.source.Store(connected.LocalAddr().String())
			return connected, nil
		}),
	)
	made.ClientConn = connection
	return made, err
}

// check asks a server of gRPC for its health, and gives back what the answer's headers tell. Calls
// that are not to be fresh share a connection.
func (calls *caller) check(question *Question) (*Answer, error) {
	used := calls.channels[question.Address]
	if used == nil || question.Fresh {
		made, err := dial(question.Address)
		if err != nil {
			return nil, fmt.Errorf("this cannot be called: %w", err)
		}
		used = made
		if question.Fresh {
			defer used.Close()
		} else {
			calls.channels[question.Address] = used
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), question.patience())
	defer cancel()
	ctx = metadata.NewOutgoingContext(ctx, metadata.New(question.Headers))
	var headers metadata.MD
	client := grpc_health_v1.NewHealthClient(used)
	_, err := client.Check(ctx, &grpc_health_v1.HealthCheckRequest{}, grpc.Header(&headers))
	answer := &Answer{}
	if source, is := used.source.Load().(string); is {
		answer.Source = source
	}
	if err != nil {
		answer.Failure = ofCheck(err, used)
		return answer, nil
	}
	answer.Status = http.StatusOK
	answer.Body = fmt.Sprintf(
		"Hello version: %s, instance: %s\n%s\n",
		strings.Join(headers.Get("x-version"), ","),
		strings.Join(headers.Get("x-instance"), ","),
		strings.Join(headers.Get("x-shown"), "\n"),
	)
	return answer, nil
}

// hangUp ends the connections that calls have shared.
func (calls *caller) hangUp() {
	for _, one := range calls.channels {
		one.Close()
	}
}

// ofCheck classifies what a call of gRPC came to: its status, unless there was no connection.
func ofCheck(err error, used *channel) *Failure {
	var before *notConnected
	told, _ := used.failed.Load().(error)
	if used.source.Load() == nil && errors.As(told, &before) {
		return beforeConnecting(before.error)
	}
	code := status.Code(err)
	said := fmt.Sprintf("grpc-status %d (%s): %s", code, code, status.Convert(err).Message())
	if code == codes.DeadlineExceeded {
		return &Failure{Kind: unanswered, Said: said}
	}
	return &Failure{Kind: inGRPC, Said: said}
}
