package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"meshproof.invalid/workloads/holding"
)

const readWithin = 30 * time.Second

// echo listens on ports for TCP and for UDP and says "NAME hears ADDRESS"; on patient ports a
// connection stays open, and hears back whatever it says.
func echo(arguments []string) error {
	flags := flag.NewFlagSet("echo", flag.ContinueOnError)
	tcp, udp := flags.String("tcp", "", "ports, by commas"), flags.String("udp", "", "ports")
	patient := flags.String("patient", "", "ports")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	name, err := one(flags.Args(), "a name")
	if err != nil {
		return err
	}
	for _, port := range ports(*udp) {
		socket, err := net.ListenPacket("udp4", ":"+port)
		if err != nil {
			return err
		}
		go answerDatagrams(socket, name)
	}
	for _, port := range ports(*patient) {
		if err := serve(port, func(connection net.Conn) { io.Copy(connection, connection) }); err != nil {
			return err
		}
	}
	for _, port := range ports(*tcp) {
		if err := serve(port, func(connection net.Conn) { hearOut(connection, name) }); err != nil {
			return err
		}
	}
	holding.UntilEnded()
	return nil
}

func ports(listed string) []string {
	return strings.FieldsFunc(listed, func(letter rune) bool { return letter == ',' })
}

// serve listens from now on; each connection is closed when it has been dealt with.
func serve(port string, deal func(net.Conn)) error {
	listener, err := net.Listen("tcp4", ":"+port)
	if err != nil {
		return err
	}
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				time.Sleep(10 * time.Millisecond) // too many are open, or one was given up
				continue
			}
			go func() {
				defer connection.Close()
				deal(connection)
			}()
		}
	}()
	return nil
}

// hearOut reads a question to its end, an empty line, before it answers: whoever closes a
// connection with something unread resets it, and the answer is lost.
func hearOut(connection net.Conn, name string) {
	connection.SetDeadline(time.Now().Add(readWithin))
	for lines := bufio.NewScanner(connection); lines.Scan() && lines.Text() != ""; {
	}
	io.WriteString(connection, hears(name, connection.RemoteAddr()))
}

func answerDatagrams(socket net.PacketConn, name string) {
	question := make([]byte, longest)
	for {
		if _, peer, err := socket.ReadFrom(question); err == nil {
			socket.WriteTo([]byte(hears(name, peer)), peer)
		}
	}
}

func hears(name string, peer net.Addr) string {
	host, _, _ := net.SplitHostPort(peer.String())
	return fmt.Sprintf("%s hears %s\n", name, host)
}
