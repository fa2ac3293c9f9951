// Helloworld says who answers: version and instance, as Istio's sample does, and what of the
// request reached it. HTTP on port 5000, gRPC on port 5001, plain TCP on port 9000.
package main

import (
	"bufio"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
)

// The headers that tell how a request came here. A caller names further ones, separated by
// commas, in the header "x-show-headers".
var shown = []string{"x-request-id", "x-forwarded-client-cert", "x-envoy-attempt-count"}

func main() {
	version, instance := os.Getenv("SERVICE_VERSION"), os.Getenv("HOSTNAME")
	if version == "" {
		version = "v1"
	}
	go serveLines(listen("TCP_PORT", "9000"), fmt.Sprintf("hello %s %s\n", version, instance))
	calls := listen("GRPC_PORT", "5001")
	go func() { log.Fatal(serveGRPC(calls, version, instance)) }()
	http.HandleFunc("/hello", func(out http.ResponseWriter, request *http.Request) {
		fmt.Fprintf(out, "Hello version: %s, instance: %s\n", version, instance)
		fmt.Fprintf(out, "host: %s\n", request.Host)
		for _, name := range append(shown[:len(shown):len(shown)], asked(request)...) {
			for _, value := range request.Header.Values(name) {
				fmt.Fprintf(out, "%s: %s\n", name, value)
			}
		}
	})
	http.HandleFunc("/health", func(out http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(out, "Helloworld is healthy")
	})
	log.Fatal(http.Serve(listen("HTTP_PORT", "5000"), nil))
}

// listen listens on a port, which the environment may say.
func listen(name, port string) net.Listener {
	if said := os.Getenv(name); said != "" {
		port = said
	}
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		log.Fatal(err)
	}
	return listener
}

func asked(request *http.Request) []string {
	var names []string
	for name := range strings.SplitSeq(request.Header.Get("x-show-headers"), ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// serveLines greets each connection once, and again for each line it receives.
func serveLines(listener net.Listener, greeting string) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			defer connection.Close()
			fmt.Fprint(connection, greeting)
			for lines := bufio.NewScanner(connection); lines.Scan(); {
				if _, err := fmt.Fprint(connection, greeting); err != nil {
					return
				}
			}
		}()
	}
}
