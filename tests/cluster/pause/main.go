// Command pause is the first process of every Pod: it holds the Pod's namespaces open, reaps
// orphans and otherwise sleeps. With arguments it does a test's small chores, so that a Pod needs
// no other image:
//
//	pause serve PORT         answers each TCP connection with the host's name
//	pause call HOST:PORT     prints such an answer
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	go reap()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	switch {
	case len(os.Args) == 3 && os.Args[1] == "serve":
		go func() { exitOnError(serve(os.Args[2])) }()
	case len(os.Args) == 3 && os.Args[1] == "call":
		exitOnError(call(os.Args[2]))
		return
	case len(os.Args) > 1:
		exitOnError(fmt.Errorf("unknown arguments %q", os.Args[1:]))
	}
	<-stop
}

// reap waits for every child that an ended process of the Pod has left to us.
func reap() {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	for range ended {
		for {
			pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
			if err == syscall.EINTR {
				continue
			}
			if pid <= 0 {
				break
			}
		}
	}
}

func serve(port string) error {
	name, err := os.Hostname()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		return err
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		fmt.Fprintln(connection, name)
		connection.Close()
	}
}

func call(address string) error {
	connection, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return err
	}
	defer connection.Close()
	_, err = io.Copy(os.Stdout, connection)
	return err
}

func exitOnError(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "pause:", err)
		os.Exit(1)
	}
}
