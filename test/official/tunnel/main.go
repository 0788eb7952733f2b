// Command tunnel joins connections to a Unix socket with connections to a TCP port, one with one. The suite's drivers for
// devices run beside the suite and reach the kubelet through it: it stands for the proxy mode of hostpathplugin.
package main

import (
	"flag"
	"io"
	"log"
	"net"
	"os"
	"strings"
)

// join copies both ways until both sides have ended.
func join(a, b net.Conn) {
	done := make(chan struct{}, 2)
	pass := func(to, from net.Conn) {
		io.Copy(to, from)
		to.Close()
		from.Close()
		done <- struct{}{}
	}
	go pass(a, b)
	go pass(b, a)
	<-done
	<-done
}

func accept(from net.Listener) net.Conn {
	conn, err := from.Accept()
	if err != nil {
		log.Fatal(err)
	}
	return conn
}

func listen(network, address string) net.Listener {
	listener, err := net.Listen(network, address)
	if err != nil {
		log.Fatal(err)
	}
	return listener
}

func main() {
	endpoint := flag.String("endpoint", "", "path of the Unix socket")
	port := flag.String("proxy-endpoint", "", "TCP address, as tcp://:9000")
	flag.String("v", "", "ignored")
	flag.Parse()
	path := strings.TrimPrefix(*endpoint, "unix://")
	os.Remove(path)
	unix, tcp := listen("unix", path), listen("tcp", strings.TrimPrefix(*port, "tcp://"))
	for {
		a := accept(unix)
		go join(a, accept(tcp))
	}
}
