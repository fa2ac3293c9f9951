package main

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

const servesFor = 10 * time.Minute

// keeper keeps the bodies of what is posted to it, and gives them out one a line.
type keeper struct {
	lock sync.Mutex
	kept [][]byte
}

func (all *keeper) ServeHTTP(out http.ResponseWriter, request *http.Request) {
	if request.Method == http.MethodGet {
		all.lock.Lock()
		defer all.lock.Unlock()
		for _, body := range all.kept {
			out.Write(append(body[:len(body):len(body)], '\n'))
		}
		return
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return
	}
	all.lock.Lock()
	all.kept = append(all.kept, body)
	all.lock.Unlock()
	out.WriteHeader(http.StatusAccepted)
}

// sink keeps what is posted to PORT, and understands nothing of it; GET gives all of it.
func sink(arguments []string) error {
	port, err := one(arguments, "a port")
	if err != nil {
		return err
	}
	return http.ListenAndServe(":"+port, &keeper{})
}

// impersonate serves TLS on PORT with the certificate and key of the line that it reads. It ends
// where its input does, or by itself after a while.
func impersonate(arguments []string, in io.Reader) error {
	port, err := one(arguments, "a port")
	if err != nil {
		return err
	}
	lines := bufio.NewReader(in)
	var shown struct{ Chain, Key string }
	line, err := lines.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &shown)
	}
	if err != nil {
		return fmt.Errorf("no certificate was given: %w", err)
	}
	certificate, err := tls.X509KeyPair([]byte(shown.Chain), []byte(shown.Key))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp4", ":"+port)
	if err != nil {
		return err
	}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}}
	go http.Serve(tls.NewListener(listener, config), http.HandlerFunc(
		func(out http.ResponseWriter, _ *http.Request) { fmt.Fprintln(out, "hello") },
	))
	untilEmpty := make(chan error, 1)
	go func() {
		_, err := lines.ReadBytes('\n')
		untilEmpty <- err
	}()
	select {
	case <-untilEmpty:
	case <-time.After(servesFor):
	}
	return nil
}
