package main

import (
	"context"
	"fmt"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
)

// greeter serves gRPC's own health checks, which every client of gRPC can call. Who answers, and
// what of the request reached it, is in the answer's headers.
type greeter struct {
	grpc_health_v1.UnimplementedHealthServer
	version, instance string
}

func (one *greeter) Check(
	ctx context.Context, _ *grpc_health_v1.HealthCheckRequest,
) (*grpc_health_v1.HealthCheckResponse, error) {
	headers := metadata.Pairs("x-version", one.version, "x-instance", one.instance)
	if received, are := metadata.FromIncomingContext(ctx); are {
		for _, name := range append(shown[:len(shown):len(shown)], ":authority") {
			for _, value := range received.Get(name) {
				headers.Append("x-shown", fmt.Sprintf("%s: %s", name, value))
			}
		}
	}
	if err := grpc.SetHeader(ctx, headers); err != nil {
		return nil, err
	}
	return &grpc_health_v1.HealthCheckResponse{
		Status: grpc_health_v1.HealthCheckResponse_SERVING,
	}, nil
}

func serveGRPC(listener net.Listener, version, instance string) error {
	server := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, &greeter{version: version, instance: instance})
	return server.Serve(listener)
}
