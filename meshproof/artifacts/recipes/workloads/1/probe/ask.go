package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Question is one line of what is read. Patience is in seconds.
type Question struct {
	Kind     string  `json:"kind"`    // tcp, udp, tls, http, grpc
	Address  string  `json:"address"` // host:port; of http: whom to call instead of the URL's host
	Patience float64 `json:"patience"`
	Payload  []byte  `json:"payload"` // of tcp, udp and tls: what is said

	ServerName string   `json:"server_name"`
	Protocols  []string `json:"protocols"` // ALPN
	Chain      string   `json:"chain"`     // PEM, with the key below: what the client shows
	Key        string   `json:"key"`

	URL     string            `json:"url"`
	Method  string            `json:"method"`
	Headers map[string]string `json:"headers"`
	Fresh   bool              `json:"fresh"` // a connection for this call alone
}

// Answer is one line of what is printed. Failure is absent where there was an answer.
type Answer struct {
	Failure *Failure `json:"failure,omitempty"`
	Payload []byte   `json:"payload,omitempty"`
	Chain   [][]byte `json:"chain,omitempty"`  // DER, the server's own certificate first
	Status  int      `json:"status,omitempty"` // of http; of grpc 200 for OK, as HTTP has it
	Body    string   `json:"body,omitempty"`
	Source  string   `json:"source,omitempty"` // from where, host:port
	Seconds float64  `json:"seconds"`
}

func (question *Question) patience() time.Duration {
	return time.Duration(question.Patience * float64(time.Second))
}

// answerAll answers questions one after the other; the end of them is an empty line.
func answerAll(in io.Reader, out io.Writer) error {
	calls, lines, encoder := newCaller(), bufio.NewReader(in), json.NewEncoder(out)
	defer calls.hangUp()
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) <= 1 {
			if err == io.EOF {
				err = nil
			}
			return err
		}
		var question Question
		if err := json.Unmarshal(line, &question); err != nil {
			return fmt.Errorf("this is no question: %w", err)
		}
		begin := time.Now()
		answer, err := answerTo(&question, calls)
		if err != nil {
			return err
		}
		answer.Seconds = time.Since(begin).Seconds()
		if err := encoder.Encode(answer); err != nil {
			return err
		}
	}
}

// answerTo returns an error for what cannot be asked; whatever came of asking is an answer.
func answerTo(question *Question, calls *caller) (*Answer, error) {
	if question.Patience <= 0 {
		return nil, fmt.Errorf("a question of kind %q without patience", question.Kind)
	}
	switch question.Kind {
	case "tcp":
		return askTCP(question), nil
	case "udp":
		return askUDP(question), nil
	case "tls":
		return askTLS(question)
	case "http":
		return calls.call(question)
	case "grpc":
		return calls.check(question)
	}
	return nil, fmt.Errorf("there is no question of kind %q", question.Kind)
}
