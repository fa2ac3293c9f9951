package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// The standard output of the container's first process, which the node keeps in the container's
// log: what is printed there is found however the connection to this program, or the API server
// that it came by, fares.
const containerLog = "/proc/1/fd/1"

const endsWithin = time.Minute

// startStream lets the stream that it reads go on by itself, with its lines in the container's log,
// and prints the number of its process.
func startStream(in io.Reader, out io.Writer) error {
	plan, err := firstLine(in)
	if err != nil {
		return fmt.Errorf("no stream was given: %w", err)
	}
	log, err := os.OpenFile(containerLog, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer log.Close()
	program, err := os.Executable()
	if err != nil {
		return err
	}
	begun := exec.Command(program, "stream")
	begun.Env = append(os.Environ(), "PROBE_QUESTIONS="+string(plan))
	begun.Stdout, begun.Stderr = log, log
	begun.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := begun.Start(); err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, begun.Process.Pid)
	return err
}

// endStream tells a stream to end, and waits until it has.
func endStream(arguments []string) error {
	text, err := one(arguments, "the number of a process")
	if err != nil {
		return err
	}
	process, err := strconv.Atoi(text)
	if err != nil || process < 2 {
		return fmt.Errorf("%q is no number of a stream's process", text)
	}
	deadline := time.Now().Add(endsWithin)
	for signal := syscall.SIGTERM; time.Now().Before(deadline); signal = 0 {
		if err := syscall.Kill(process, signal); err != nil {
			return nil // it has ended
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("the stream %d did not end within %s", process, endsWithin)
}
