package main

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"time"
)

const longest = 1 << 16

// askTCP says something over a connection, and gives back the first line that is not empty.
func askTCP(question *Question) *Answer {
	connection, err := net.DialTimeout("tcp4", question.Address, question.patience())
	if err != nil {
		return &Answer{Failure: beforeConnecting(err)}
	}
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(question.patience()))
	source := connection.LocalAddr().String()
	// Nobody hangs up after asking: proxies answer nobody who has.
	if _, err := connection.Write(question.Payload); err != nil {
		return &Answer{Failure: afterConnecting(err), Source: source}
	}
	line, err := firstLine(connection)
	if line == nil {
		return &Answer{Failure: afterConnecting(err), Source: source}
	}
	return &Answer{Payload: line, Source: source}
}

// firstLine is the first line that is not empty, or what there was of it; else why there is none.
func firstLine(in io.Reader) ([]byte, error) {
	for lines := bufio.NewReader(io.LimitReader(in, longest)); ; {
		line, err := lines.ReadBytes('\n')
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return line, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// askUDP sends a datagram and gives back the one that comes in answer.
func askUDP(question *Question) *Answer {
	connection, err := net.Dial("udp4", question.Address)
	if err != nil {
		return &Answer{Failure: beforeConnecting(err)}
	}
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(question.patience()))
	if _, err := connection.Write(question.Payload); err != nil {
		return &Answer{Failure: beforeConnecting(err)}
	}
	answer := make([]byte, longest)
	count, err := connection.Read(answer)
	if err != nil {
		return &Answer{Failure: beforeConnecting(err)}
	}
	return &Answer{Payload: answer[:count], Source: connection.LocalAddr().String()}
}
