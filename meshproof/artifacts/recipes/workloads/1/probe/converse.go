package main

import (
	"bufio"
	"io"
	"net"
	"strings"
	"time"
)

const (
	connectWithin = 10 * time.Second
	lastWord      = time.Second // how long the other side may take for what it has not said back
	longestTalk   = 5 * time.Minute
)

// converse says each line that it reads to ADDRESS over one connection, and prints what comes
// back, until as many lines have come back as were said or the other side is through.
func converse(arguments []string, in io.Reader, out io.Writer) error {
	address, err := one(arguments, "an address")
	if err != nil {
		return err
	}
	connection, err := net.DialTimeout("tcp4", address, connectWithin)
	if err != nil {
		return err
	}
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(longestTalk))
	heard := make(chan string)
	go func() {
		defer close(heard)
		for lines := bufio.NewScanner(connection); lines.Scan(); {
			heard <- lines.Text()
		}
	}()
	said := make(chan int, 1)
	go func() { said <- say(in, connection) }()
	return hear(heard, said, out)
}

// say passes lines on, until an empty one or until they cannot be; returns how many there were.
func say(in io.Reader, out io.Writer) int {
	count := 0
	for lines := bufio.NewScanner(in); lines.Scan() && lines.Text() != ""; count++ {
		if _, err := io.WriteString(out, lines.Text()+"\n"); err != nil {
			io.Copy(io.Discard, in) // whoever says them hears the end all the same
			return count + 1
		}
	}
	return count
}

func hear(heard <-chan string, said <-chan int, out io.Writer) error {
	var late <-chan time.Time
	for count, due := 0, -1; count != due; {
		select {
		case line, more := <-heard:
			if !more {
				return nil
			}
			count++
			if _, err := io.WriteString(out, strings.TrimSpace(line)+"\n"); err != nil {
				return err
			}
		case due = <-said:
			late = time.After(lastWord)
		case <-late:
			return nil
		}
	}
	return nil
}
