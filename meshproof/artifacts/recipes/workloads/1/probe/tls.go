package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// A server that refuses its client with a question unread resets, and its alert gets lost: the
// question is put a moment after the handshake. With TLS 1.3 the client holds that for done before
// the server has looked at its certificate.
const moment = 500 * time.Millisecond

// askTLS shakes hands, whoever the server is, puts the question, and reads to the end.
func askTLS(question *Question) (*Answer, error) {
	answer := &Answer{}
	config, err := clientConfig(question, answer)
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	plain, err := net.DialTimeout("tcp4", question.Address, question.patience())
	if err != nil {
		answer.Failure = beforeConnecting(err)
		return answer, nil
	}
	defer plain.Close()
	answer.Source = plain.LocalAddr().String()
	end := begin.Add(question.patience())
	plain.SetDeadline(end)
	connection := tls.Client(plain, config)
	if err := connection.Handshake(); err != nil {
		answer.Failure = inHandshake(err)
		return answer, nil
	}
	answer.Payload, err = put(question.Payload, connection, end)
	if err != nil {
		answer.Failure = afterConnecting(err)
	}
	return answer, nil
}

func clientConfig(question *Question, answer *Answer) (*tls.Config, error) {
	config := &tls.Config{
		ServerName: question.ServerName,
		NextProtos: question.Protocols,
		// A greeting that fits into one segment, as routers and nodes count them.
		CurvePreferences:   []tls.CurveID{tls.X25519, tls.CurveP256},
		InsecureSkipVerify: true, // whoever asks looks at the chain himself
		VerifyPeerCertificate: func(chain [][]byte, _ [][]*x509.Certificate) error {
			answer.Chain = chain
			return nil
		},
	}
	if question.Chain == "" {
		return config, nil
	}
	shown, err := tls.X509KeyPair([]byte(question.Chain), []byte(question.Key))
	if err != nil {
		return nil, fmt.Errorf("this is no certificate to show: %w", err)
	}
	// Also to a server that names authorities, and not this one's.
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		return &shown, nil
	}
	return config, nil
}

// put is what comes in answer, until the server hangs up; an error where nothing did.
func put(payload []byte, connection *tls.Conn, end time.Time) ([]byte, error) {
	connection.SetReadDeadline(time.Now().Add(moment))
	early := make([]byte, longest)
	count, err := connection.Read(early)
	if err != nil && !isTimeout(err) {
		return nil, err
	}
	connection.SetDeadline(end)
	if _, err := connection.Write(payload); err != nil {
		return early[:count], err
	}
	said, err := io.ReadAll(io.LimitReader(connection, longest))
	said = append(early[:count], said...)
	if len(said) > 0 {
		return said, nil
	}
	if err == nil {
		err = io.EOF
	}
	return nil, err
}

// inHandshake classifies what ended a handshake: what is no alert, no end and no time-out is
// something that speaks no TLS, or not the same.
func inHandshake(err error) *Failure {
	failure := afterConnecting(err)
	var noTLS tls.RecordHeaderError
	if failure.Kind == other || errors.As(err, &noTLS) {
		failure.Kind = inTLS
	}
	return failure
}
