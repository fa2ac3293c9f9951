// Probe asks, listens and talks where it is run: in a pod, or on a node's own network.
//
//	probe ask                  reads questions, here or in PROBE_QUESTIONS, prints an answer to each
//	probe converse ADDRESS     says each line that it reads over one connection
//	probe echo NAME            says whom it hears, by TCP and UDP
//	probe sink PORT            keeps what is posted to it
//	probe impersonate PORT     serves TLS with the certificate that it reads
//	probe stream               makes the calls of the stream that it reads, until it is told to end
//	probe start-stream         the same by itself: it goes on, and prints to the container's log
//	probe end-stream PROCESS   tells such a one to end, and waits for it
//
// What it reads ends with an empty line, or where its standard input does.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

var commands = map[string]func(arguments []string) error{
	"ask":         func([]string) error { return answerAll(questions(), os.Stdout) },
	"converse":    func(arguments []string) error { return converse(arguments, os.Stdin, os.Stdout) },
	"echo":        echo,
	"sink":        sink,
	"impersonate": func(arguments []string) error { return impersonate(arguments, os.Stdin) },

	"stream":       func([]string) error { return stream(questions(), os.Stdout) },
	"start-stream": func([]string) error { return startStream(os.Stdin, os.Stdout) },
	"end-stream":   endStream,
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fail(fmt.Errorf("usage: probe ask | converse | echo | sink | impersonate | stream | " +
			"start-stream | end-stream"))
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "probe:", err)
	os.Exit(1)
}

// questions are read from the environment where they are there: nobody writes to a Job's input.
func questions() io.Reader {
	if written, are := os.LookupEnv("PROBE_QUESTIONS"); are {
		return strings.NewReader(written)
	}
	return os.Stdin
}

// one is the only argument of a command.
func one(arguments []string, what string) (string, error) {
	if len(arguments) != 1 {
		return "", fmt.Errorf("%s is wanted, and nothing else", what)
	}
	return arguments[0], nil
}
